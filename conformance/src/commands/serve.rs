//! `serve`: a report as a local web page.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use conformance::report::PAGE;
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::commands::{Failure, Outcome};

/// Show a report in a browser: it is served on 127.0.0.1 until Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder that `run --report` has written.
    #[arg(long, value_name = "DIR", default_value = "conformance-report")]
    report: PathBuf,
    /// The TCP port; 0 takes any that is free.
    #[arg(long, default_value_t = 8046)]
    port: u16,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> Result<Outcome, Failure> {
    if !args.report.join(PAGE).is_file() {
        let folder = args.report.display();
        return Err(Failure::Text(format!(
            "no report is in {folder}; `conformance run --report DIR` writes one"
        )));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(args, out)).map(|()| Outcome::Done)
}

async fn serve(args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Failure::Text(format!("cannot listen on {address}: {error}; --port takes another"))
    })?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .fallback_service(ServeDir::new(&args.report))
        .layer(middleware::from_fn(move |request, next| for_this_machine(address, request, next)));
    writeln!(out, "{} is on http://{address}/ until Ctrl-C", args.report.display())?;
    out.flush()?;
    let stop = async {
        // Where Ctrl-C cannot be waited for, it ends the process anyway.
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, app).with_graceful_shutdown(stop).await.map_err(|error| Failure::text(&error))
}

/// A page from elsewhere that has its own name lead to this address gets nothing (DNS rebinding).
async fn for_this_machine(address: SocketAddr, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let names = [address.to_string(), format!("localhost:{}", address.port())];
    if host.is_some_and(|host| names.iter().any(|name| name == host)) {
        return next.run(request).await;
    }
    StatusCode::MISDIRECTED_REQUEST.into_response()
}
