// A client in JavaScript, for Node without packages, written from protocol.md alone: it greets the server, factors a
// matrix, makes a mistake, and goes on.
import { spawn } from "node:child_process";
import { once } from "node:events";

const server = spawn(process.env.RECFACT_SERVER || "recfact_server", { stdio: ["pipe", "pipe", "inherit"] });
let received = Buffer.alloc(0);
server.stdout.on("data", (bytes) => (received = Buffer.concat([received, bytes])));
server.stdin.on("error", () => {}); // the server has ended; the next read says so

async function read(count) {
  while (received.length < count) {
    if (server.stdout.readableEnded) throw new Error(`recfact_server ended early, status ${server.exitCode}`);
    await Promise.race([once(server.stdout, "data"), once(server.stdout, "end")]);
  }
  const bytes = received.subarray(0, count);
  received = received.subarray(count);
  return bytes;
}

// One extended frame: the command, the length, the payload. Statuses are small, so numbers hold them.
async function ask(command, payload) {
  const head = Buffer.alloc(9);
  head[0] = command;
  head.writeBigInt64LE(BigInt(payload.length), 1);
  server.stdin.write(Buffer.concat([head, payload]));
  const answer = await read(16);
  const [status, length] = [0, 8].map((at) => Number(answer.readBigInt64LE(at)));
  const body = await read(length);
  if (status < 0) throw new RangeError(`status ${status}: ${body}`);
  return body;
}

// P A = L U of the rows of A: L and U as rows, and the swaps, counted from 0.
async function factor(rows) {
  const [m, n] = [rows.length, rows[0].length];
  const fixed = Buffer.alloc(128 + 8 * m * n);
  fixed.writeUInt32LE(0x100 | 0x200 | 0x400, 0); // row-major, finite, swaps of 32 bits
  [m, n].forEach((size, i) => fixed.writeBigInt64LE(BigInt(size), 8 + 8 * i));
  fixed.writeInt32LE(-1, 24); // the CPU is not known
  for (const operand of [32, 64, 96]) fixed.writeUInt32LE(1, operand); // in the payload
  rows.flat().forEach((x, at) => fixed.writeDoubleLE(x, 128 + 8 * at));
  const body = await ask(0x20, fixed);
  const lu = rows.map((row, i) => row.map((_, j) => body.readDoubleLE(16 + 8 * (i + j * m))));
  const swaps = Array.from({ length: Math.min(m, n) }, (_, i) => body.readInt32LE(16 + 8 * m * n + 4 * i));
  return { info: Number(body.readBigInt64LE(0)), lu, swaps };
}

const hello = await ask(0x10, Buffer.concat([Buffer.from([2, 0, 0, 0]), Buffer.from("lu.mjs 1")]));
console.log(hello.toString("latin1", 0, 7), "version", hello.readUInt32LE(8));
console.log(await factor([[4, 3], [6, 3]]));
await factor([[1, NaN], [2, 4]]).catch((error) => console.log(error.message));
console.log(await factor([[1, 2], [2, 4]]));
server.stdin.end();
console.log("exit status", (await once(server, "exit"))[0]);
