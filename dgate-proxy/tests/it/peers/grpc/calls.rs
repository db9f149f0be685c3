//! Calls of all kinds, over HTTP/2 with and without TLS.

use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request};

use super::Line;

/// Both ways to get there.
async fn lines() -> [Line; 2] {
    [Line::plain().await, Line::encrypted().await]
}

/// Messages that come through a channel.
pub(super) fn channel() -> (mpsc::UnboundedSender<Bytes>, impl futures_util::Stream<Item = Bytes> + Send) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) }))
}

#[tokio::test]
async fn unary() {
    for mut line in lines().await {
        for message in ["", "hello"] {
            assert_eq!(line.client.say(Bytes::from(message)).await.unwrap().into_inner(), message);
        }
        let answers = (0..50).map(|index| {
            let mut client = line.client.clone();
            async move { client.say(Bytes::from(format!("message {index}"))).await.unwrap().into_inner() }
        });
        for (index, answer) in futures_util::future::join_all(answers).await.into_iter().enumerate() {
            assert_eq!(answer, format!("message {index}"));
        }
    }
}

#[tokio::test]
async fn client_streaming() {
    for mut line in lines().await {
        let messages = (0..1_000).map(|_| Bytes::from_static(&[7; 1_000]));
        let sum = line.client.sum(stream::iter(messages)).await.unwrap().into_inner();
        assert_eq!(sum, "1000 messages, 1000000 bytes");
        assert_eq!(line.client.sum(stream::empty()).await.unwrap().into_inner(), "0 messages, 0 bytes");
    }
}

#[tokio::test]
async fn server_streaming() {
    for mut line in lines().await {
        for count in [0, 1, 5_000] {
            let mut numbers = line.client.count(Bytes::from(count.to_string())).await.unwrap().into_inner();
            for number in 0..count {
                assert_eq!(numbers.message().await.unwrap().unwrap(), number.to_string());
            }
            assert_eq!(numbers.message().await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn bidirectional_streaming() {
    for mut line in lines().await {
        let (says, messages) = channel();
        let mut answers = line.client.chat(messages).await.unwrap().into_inner();
        for index in 0..100 {
            // The next message goes out only when the answer to this one is there.
            says.send(format!("message {index}").into()).unwrap();
            assert_eq!(answers.message().await.unwrap().unwrap(), format!("re: message {index}"));
        }
        drop(says);
        assert_eq!(answers.message().await.unwrap(), None);
    }
}

#[tokio::test]
async fn failures_keep_their_code_words_details_and_metadata() {
    for mut line in lines().await {
        let request = |message: &'static str| {
            let mut request = Request::new(Bytes::from_static(message.as_bytes()));
            request.metadata_mut().insert("x-text", "why".parse().unwrap());
            request
        };
        let at_once = line.client.say(request("fail")).await.unwrap_err();
        let mut numbers = line.client.count(request("no number")).await.unwrap().into_inner();
        for number in ["0", "1", "2"] {
            assert_eq!(numbers.message().await.unwrap().unwrap(), number);
        }
        let in_trailers = numbers.message().await.unwrap_err();
        for status in [at_once, in_trailers] {
            assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "größer als 100 %\n"));
            assert_eq!(status.details(), [0, 1, 0xff]);
            assert_eq!(status.metadata().get("x-text").unwrap(), "why");
        }
    }
}

#[tokio::test]
async fn metadata_of_both_kinds_passes_both_ways() {
    for mut line in lines().await {
        let mut request = Request::new(Bytes::from_static(b"hello"));
        let bytes: Vec<u8> = (0..=255).collect();
        let metadata = request.metadata_mut();
        metadata.append("x-text", "one, two".parse().unwrap());
        metadata.append("x-text", "three".parse().unwrap());
        metadata.append_bin("x-bytes-bin", MetadataValue::from_bytes(&bytes));
        metadata.append_bin("x-bytes-bin", MetadataValue::from_bytes(b""));
        let response = line.client.say(request).await.unwrap();
        let texts: Vec<_> = response.metadata().get_all("x-text").iter().collect();
        assert_eq!(texts, ["one, two", "three"]);
        let values = response.metadata().get_all_bin("x-bytes-bin");
        let values: Vec<_> = values.iter().map(|value| value.to_bytes().unwrap()).collect();
        assert_eq!(values, [Bytes::from(bytes), Bytes::new()]);
    }
}

#[tokio::test]
async fn large_messages() {
    for mut line in lines().await {
        let message = Bytes::from((0..4_u32 << 20).map(|index| (index >> 3) as u8).collect::<Vec<_>>());
        assert!(line.client.say(message.clone()).await.unwrap().into_inner() == message);
    }
}
