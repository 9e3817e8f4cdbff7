//! A process tree in its own namespaces, as whatever user runs this.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use rsvp_netns::isolate::{self, Entered};

    /// What the inner process exits with when all it looked at was right.
    const RIGHT: u8 = 42;

    match isolate::enter() {
        Ok(Entered::Inside(privilege)) => {
            let right = inside()?;
            eprintln!("inside by {privilege:?}");
            std::process::exit(if right { i32::from(RIGHT) } else { 1 });
        }
        Ok(Entered::Done(status)) => {
            assert_eq!(isolate::exit_code(status), RIGHT);
            println!("the inner process found all right");
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("SKIPPED: {error}");
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn inside() -> Result<bool, Box<dyn std::error::Error>> {
    use std::process::Command;
    use std::time::Duration;

    let (watch, gone) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        rsvp_netns::isolate::outlives();
        let _ = watch.send(());
    });
    let [a, b] = [rsvp_netns::Namespace::new("a")?, rsvp_netns::Namespace::new("b")?];
    a.link("eth0", &b, "eth0")?;
    a.address("eth0", "10.0.0.1".parse()?, 24)?;
    b.address("eth0", "10.0.0.2".parse()?, 24)?;
    let receiver = b.run(|| std::net::UdpSocket::bind("10.0.0.2:5000"))?;
    a.run(|| std::net::UdpSocket::bind("10.0.0.1:0"))?.send_to(b"here", "10.0.0.2:5000")?;
    receiver.set_read_timeout(Some(Duration::from_secs(1)))?;
    let length = receiver.recv(&mut [0; 10])?;
    // Left running: it must end with this process, the first of its PID namespace.
    std::mem::forget(a.spawn(Command::new("sleep").arg("600"))?);
    let parent_lives = gone.try_recv().is_err();
    Ok(length == 4 && std::process::id() == 1 && parent_lives)
}
