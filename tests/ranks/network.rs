//! Ranks over a network that is slow, or that is cut.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use rootlet::error::RankFault;
use rootlet::low_level::ranks::Ranks;
use rootlet::low_level::ranks::tcp::{Options, Tcp};
use rootlet::low_level::topology::MethodName;
use rootlet::prelude::*;

use super::equal::config;
use super::together::{NEVER, digits, membership, options, train};

/// Forwards a connection in both directions, `delay` later, until it is cut: then it keeps silent, as a network does.
struct Proxy {
    port: u16,
    is_cut: Arc<AtomicBool>,
}

impl Proxy {
    fn before(port: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            is_cut: Arc::default(),
        };
        let is_cut = proxy.is_cut.clone();
        thread::spawn(move || {
            let (near, _) = listener.accept().unwrap();
            let far = TcpStream::connect(("127.0.0.1", port)).unwrap();
            for (from, to) in [(&near, &far), (&far, &near)] {
                let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                let is_cut = is_cut.clone();
                thread::spawn(move || forward(from, to, delay, &is_cut));
            }
        });
        proxy
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, delay: Duration, is_cut: &AtomicBool) {
    to.set_nodelay(true).unwrap();
    let mut room = [0; 4096];
    while let Ok(count) = from.read(&mut room) {
        if count == 0 {
            break;
        }
        sleep(delay);
        if !is_cut.load(Ordering::SeqCst) && to.write_all(&room[..count]).is_err() {
            break;
        }
    }
    if is_cut.load(Ordering::SeqCst) {
        // Nobody hangs up: the sockets stay open as long as this thread.
        sleep(Duration::from_secs(60));
    }
}

/// Two ranks with a proxy between them; `work` gets the rank and the proxy.
fn behind_a_proxy<T: Send + 'static>(
    options: Options,
    delay: Duration,
    work: impl Fn(Ranks, &Proxy) -> T + Send + Clone + 'static,
) -> [T; 2] {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Arc::new(Proxy::before(listener.local_addr().unwrap().port(), delay));
    let first = {
        let (options, proxy, work) = (options.clone(), proxy.clone(), work.clone());
        thread::spawn(move || {
            let tcp = Tcp::listen(listener, 2, &options, &NEVER).unwrap();
            work(Ranks::new(tcp), &proxy)
        })
    };
    let second = thread::spawn(move || {
        let tcp = Tcp::join(&membership(1, 2, proxy.port), &options, &NEVER).unwrap();
        work(Ranks::new(tcp), &proxy)
    });
    [first, second].map(|rank| rank.join().unwrap())
}

#[test]
fn a_slow_network_changes_no_bit() {
    let (config, data) = (config(MethodName::GseUniform), digits());
    let alone = train(&config, &data, None).unwrap();
    let delay = Duration::from_millis(5);
    let ends = behind_a_proxy(options(), delay, move |ranks, _| {
        train(&config, &data, Some(ranks)).unwrap()
    });
    assert!(ends.iter().all(|end| *end == alone));
}

#[test]
fn a_cut_ends_both_sides_in_time() {
    let mut config = config(MethodName::GseUniform);
    config.run.epochs = 100_000;
    let data = digits();
    let options = Options {
        silence: Duration::from_secs(1),
        ..options()
    };
    let ends = behind_a_proxy(options, Duration::ZERO, move |ranks, proxy| {
        if ranks.is_first() {
            let is_cut = proxy.is_cut.clone();
            thread::spawn(move || {
                sleep(Duration::from_millis(500));
                is_cut.store(true, Ordering::SeqCst);
            });
        }
        let ended = train(&config, &data, Some(ranks)).err().unwrap();
        (ended, Instant::now())
    });
    for (rank, (error, _)) in ends.iter().enumerate() {
        match error {
            Error::Rank(RankFault::Silent { rank: other, .. }) => assert_eq!(*other, 1 - rank),
            other => panic!("rank {rank}: {other}"),
        }
    }
    let apart = ends[0].1.max(ends[1].1) - ends[0].1.min(ends[1].1);
    assert!(apart < Duration::from_secs(5), "{apart:?}");
}
