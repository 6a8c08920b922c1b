// P A = L U by recfact_server, in Node without packages: HELLO, two matrices, and a mistake between them that does not end
// the session. Written from protocol.md, "Extended frames". Usage: node lu.mjs
import { spawn } from "node:child_process";
import { once } from "node:events";

const server = spawn(process.env.RECFACT_SERVER || "recfact_server", { stdio: ["pipe", "pipe", "inherit"] });
const ended = once(server, "close");
server.on("error", (error) => { console.error(error.message); process.exit(1); });
server.stdin.on("error", () => {}); // EPIPE: the server has ended, and `read` says so

async function read(count) { // waits until all bytes are there
    for (;;) {
        const bytes = server.stdout.read(count);
        if (bytes?.length === count) return bytes;
        if (server.stdout.readableEnded) throw new Error(`recfact_server has ended, exit status ${(await ended)[0]}`);
        await Promise.race([once(server.stdout, "readable"), once(server.stdout, "end")]);
    }
}

async function request(command, payload) { // an extended frame; the payload of the answer
    const head = Buffer.alloc(9);
    head.writeUInt8(command);
    head.writeBigInt64LE(BigInt(payload.length), 1);
    server.stdin.write(Buffer.concat([head, payload]));
    const status = Number((await read(8)).readBigInt64LE());
    if (status < -(2 ** 62)) throw new Error("this server knows version 1 only");
    const length = Number((await read(8)).readBigInt64LE());
    const answer = length ? await read(length) : Buffer.alloc(0);
    if (status < 0) throw new Error(`status ${status}: ${answer.toString()}`);
    return answer;
}

async function lu(rows) { // info, the rows of L and U in one matrix, and the order of the rows of P A, from 0
    const [m, n, k] = [rows.length, rows[0].length, Math.min(rows.length, rows[0].length)];
    const payload = Buffer.alloc(128 + 8 * m * n);
    payload.writeUInt32LE(0x500, 0); // f64, row-major, ipiv as i32 counted from 0
    payload.writeBigInt64LE(BigInt(m), 8);
    payload.writeBigInt64LE(BigInt(n), 16);
    payload.writeInt32LE(-1, 24); // our CPU is not known
    for (const operand of [32, 64, 96]) payload.writeUInt32LE(1, operand); // A, L and U, ipiv: in the payload
    rows.flat().forEach((x, at) => payload.writeDoubleLE(x, 128 + 8 * at));
    const answer = await request(0x20, payload);
    const order = rows.map((_, i) => i);
    for (let i = 0; i < k; i++) {
        const p = answer.readInt32LE(16 + 8 * m * n + 4 * i);
        [order[i], order[p]] = [order[p], order[i]];
    }
    const factors = rows.map((row, i) => row.map((_, j) => answer.readDoubleLE(16 + 8 * (i + j * m))));
    return { info: Number(answer.readBigInt64LE()), factors, order };
}

const hello = await request(0x10, Buffer.from("\x02\0\0\0lu.mjs 1.0"));
console.log(hello.toString("latin1", 0, 7), "protocol", hello.readUInt32LE(8));
console.log(await lu([[4, 3], [6, 3]]));
await request(0x20, Buffer.alloc(5)).catch((error) => console.log(error.message));
console.log(await lu([[1, 2], [2, 4], [0, 1]]));
server.stdin.end("\xff", "latin1");
console.log("exit status", (await ended)[0]);
