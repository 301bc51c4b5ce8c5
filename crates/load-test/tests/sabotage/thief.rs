//! A proxy that takes a message away on its way to one member: nothing in the cluster can notice.

use std::net::SocketAddr;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Takes one `NEW_MESSAGE` in so many of each connection; gives the address to connect to instead.
pub async fn thief(to: SocketAddr, many: u64) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(server) = TcpStream::connect(to).await else { continue };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move {
                let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
                let _ = to_server.shutdown().await;
            });
            tokio::spawn(async move {
                let mut seen = 0;
                if let Ok(head) = head(&mut from_server).await
                    && to_client.write_all(&head).await.is_ok()
                {
                    while let Ok((frame, payload)) = frame(&mut from_server).await {
                        let text = String::from_utf8_lossy(&payload);
                        seen += u64::from(text.contains("\"type\":\"NEW_MESSAGE\""));
                        let taken = text.contains("\"type\":\"NEW_MESSAGE\"") && seen.is_multiple_of(many);
                        if !taken && to_client.write_all(&frame).await.is_err() {
                            break;
                        }
                    }
                }
                let _ = to_client.shutdown().await;
            });
        }
    });
    address
}

async fn head(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await?);
    }
    Ok(head)
}

/// One frame as it came, and its payload.
async fn frame(from: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let mut frame = vec![from.read_u8().await?, from.read_u8().await?];
    let length = match frame[1] {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let mut more = vec![0; length];
    from.read_exact(&mut more).await?;
    let length = if length == 0 { usize::from(frame[1]) } else { more.iter().fold(0, |n, b| n << 8 | usize::from(*b)) };
    frame.extend(more);
    let mut payload = vec![0; length];
    from.read_exact(&mut payload).await?;
    frame.extend(&payload);
    Ok((frame, payload))
}
