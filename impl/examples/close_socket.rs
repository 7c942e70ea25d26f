//! A callback that closes a socket, so that a blocking read ends with the request.
#![allow(clippy::disallowed_methods, reason = "an example runs on the machine itself")]

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use rescind::{CancellationToken, CancellationTokenSource};

/// Reads to the end of the stream, or until the token is cancelled.
fn read_all(mut stream: &TcpStream, token: &CancellationToken) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    // The callback borrows the stream: it is unregistered, and over, before `with_callback` returns.
    let close = || {
        // The peer may have closed it before: then there is nothing to end.
        let _ = stream.shutdown(Shutdown::Both);
    };
    token.with_callback(close, || stream.read_to_end(&mut bytes))?;
    Ok((!token.is_cancelled()).then_some(bytes))
}

fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let silent_peer = TcpStream::connect(listener.local_addr()?)?;
    let (stream, _) = listener.accept()?;
    let source = CancellationTokenSource::new();
    let token = source.token();
    let reader = thread::spawn(move || read_all(&stream, &token));
    source.cancel();
    match reader.join().expect("the reader does not panic")? {
        Some(bytes) => println!("the peer sent {} bytes", bytes.len()),
        None => println!("cancelled: the socket was closed under the read"),
    }
    drop(silent_peer);
    Ok(())
}
