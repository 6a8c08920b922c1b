//! A server and beside it the model of its session, which says what each answer must be.

use testing::Memfd;
use testing::frames::Map;
use testing::session_model::{Expected, Session, Step};

use crate::harness::*;

/// The limit of the servers here.
pub const MAX_BYTES: u64 = 1 << 20;

pub struct Modelled {
    pub server: Server,
    pub model: Session,
    received: u64,
}

impl Modelled {
    pub fn start() -> Self {
        Self::spawn(&mut command(&["--max-bytes", &MAX_BYTES.to_string(), "--threads", "2"]))
    }

    /// On an instruction set.
    pub fn start_on(instruction_set: &str) -> Self {
        let mut command = command(&["--max-bytes", &MAX_BYTES.to_string(), "--threads", "2"]);
        Self::spawn(command.env("RECFACT_ISA", instruction_set))
    }

    /// Keeping factors of as many bytes.
    pub fn start_keeping(keep_bytes: u64) -> Self {
        let max_bytes = MAX_BYTES.to_string();
        let arguments = ["--max-bytes", &max_bytes, "--threads", "2", "--keep-bytes", &keep_bytes.to_string()];
        let session = Self::spawn(&mut command(&arguments));
        Modelled { model: session.model.keeping(keep_bytes), ..session }
    }

    fn spawn(command: &mut std::process::Command) -> Self {
        Modelled { server: Server::spawn(command), model: Session::new(MAX_BYTES, 2), received: 0 }
    }

    /// Sends a request and returns the answer, which must be the model's.
    pub fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        let Step::Answer(expected) = self.model.step(request) else { panic!("no answer to {request:?}") };
        let answer = if let Expected::Version1(image) = &expected {
            self.server.ask(request, image.len())
        } else {
            self.server.ask_frame(request)
        };
        assert_eq!(expected.check(&answer, self.received), answer.len());
        self.received += answer.len() as u64;
        answer
    }

    /// Sends a request that must be refused with this status. Returns the message.
    pub fn refuses(&mut self, request: &[u8], status: i64) -> String {
        let answer = self.ask(request);
        let message = String::from_utf8(answer[16..].to_vec()).unwrap();
        assert_eq!(answer[..8], status.to_le_bytes(), "{message}");
        message
    }

    /// Makes memory with these contents known to the model, and maps it. Returns the number of the segment.
    pub fn map(&mut self, memory: &Memfd, bytes: Vec<u8>) -> u32 {
        let size = bytes.len();
        memory.write(0, &bytes);
        self.model.add_file(memory.descriptor(), true, bytes);
        let answer = self.ask(&Map::of_this_process(memory.descriptor(), size as i64).frame());
        u32::from_le_bytes(answer[16..].try_into().unwrap())
    }

    /// The client writes to memory that is mapped.
    pub fn write(&mut self, memory: &Memfd, at: usize, bytes: &[u8]) {
        memory.write(at, bytes);
        self.model.write(memory.descriptor(), at, bytes);
    }

    /// Checks every byte of memory that is mapped.
    pub fn check_memory(&self, memory: &Memfd) {
        let expected = self.model.file(memory.descriptor());
        let mismatch = expected.mismatch(&memory.read(0, expected.len()));
        assert_eq!(mismatch, None, "the first byte of shared memory that is wrong");
    }

    /// Ends the session, which must end well and in silence.
    pub fn finish(self) {
        let (status, stderr) = self.server.finish();
        assert!(status.success() && stderr.is_empty(), "{status} {stderr}");
    }
}
