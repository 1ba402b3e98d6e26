//! Who may join, and how long ranks wait for each other.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use rootlet::error::RankFault;
use rootlet::low_level::ranks::tcp::{Options, Tcp};
use rootlet::low_level::ranks::{Collective, Ranks};
use rootlet::prelude::*;

use super::together::{NEVER, membership, options};

/// Rank 0, waiting for one other rank in a thread of its own, and its port.
fn first(options: Options) -> (u16, thread::JoinHandle<Result<Tcp>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let listen = move || Tcp::listen(listener, 2, &options, &NEVER);
    (port, thread::spawn(listen))
}

#[test]
fn strangers_are_sent_away_and_the_rank_is_still_taken() {
    let (port, first) = first(options());
    // One that speaks another protocol, one that hangs up, one with another secret, one of another run's size.
    let mut web = TcpStream::connect(("127.0.0.1", port)).unwrap();
    web.write_all(&[b'G'; 60]).unwrap();
    drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let stranger = Options {
        secret: b"guessed".to_vec(),
        ..options()
    };
    for (membership, options) in [
        (membership(1, 2, port), &stranger),
        (membership(1, 3, port), &options()),
    ] {
        let error = Tcp::join(&membership, options, &NEVER).err().unwrap();
        assert!(
            error
                .to_string()
                .contains("does not know this run's secret"),
            "{error}"
        );
    }
    let second = Tcp::join(&membership(1, 2, port), &options(), &NEVER).unwrap();
    let first = first.join().unwrap().unwrap();
    assert_eq!(
        [first.rank(), first.size(), second.rank(), second.size()],
        [0, 2, 1, 2]
    );
}

#[test]
fn a_rank_that_does_not_come_is_named() {
    let (_, first) = first(Options {
        join: Duration::from_millis(200),
        ..options()
    });
    match first.join().unwrap().err().unwrap() {
        Error::Rank(RankFault::Missing {
            rank: 1,
            here: 1,
            size: 2,
            ..
        }) => {}
        other => panic!("{other}"),
    }
}

#[test]
fn waiting_for_ranks_can_be_stopped() {
    let stop = AtomicBool::new(true);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let first = Tcp::listen(listener, 2, &options(), &stop).err().unwrap();
    // Nobody listens there any longer.
    let second = Tcp::join(&membership(1, 2, port), &options(), &stop)
        .err()
        .unwrap();
    for error in [first, second] {
        assert!(
            matches!(error, Error::Rank(RankFault::Stopped { here: 1, size: 2 })),
            "{error}"
        );
    }
}

#[test]
fn ranks_that_are_here_wait_for_a_late_one() {
    let options = Options {
        silence: Duration::from_secs(1),
        ..options()
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let all: Vec<_> = (0..3)
        .map(|rank| {
            let (options, listener) = (options.clone(), listener.try_clone().unwrap());
            thread::spawn(move || {
                if rank == 2 {
                    thread::sleep(Duration::from_millis(1500));
                }
                let ranks = Ranks::new(match rank {
                    0 => Tcp::listen(listener, 3, &options, &NEVER)?,
                    _ => Tcp::join(&membership(rank, 3, port), &options, &NEVER)?,
                });
                ranks.barrier()
            })
        })
        .collect();
    for rank in all {
        rank.join().unwrap().unwrap();
    }
}
