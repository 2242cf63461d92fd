//! nginx as a plain reverse proxy: the second yardstick, which shows that the bare proxy is not a weak one.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    process::Stdio,
    time::Duration,
};

use crate::{
    failure::{Context as _, Outcome},
    process::{self, Process},
};

/// Answers without the upstream, to see that nginx is up.
const READY_PATH: &str = "/nginx-ready";

/// Starts nginx in `folder` in front of `upstream`; `None` where nginx is not installed.
pub(crate) fn start(folder: &Path, upstream: SocketAddr) -> Outcome<Option<(Process, SocketAddr)>> {
    let Some(program) = process::find_program("nginx") else { return Ok(None) };
    std::fs::create_dir_all(folder)?;
    let address = free_address()?;
    let file = folder.join("nginx.conf");
    std::fs::write(&file, configuration(folder, address, upstream))?;
    let mut command = process::command(program);
    // -e: the log that nginx opens before it has read its configuration
    command.arg("-e").arg(folder.join("error.log")).arg("-p").arg(folder).arg("-c").arg(&file);
    command.stdout(Stdio::null());
    let mut nginx = Process::start("nginx", command)?;
    process::wait_ready(&mut nginx, address, READY_PATH, Duration::from_secs(5))?;
    Ok(Some((nginx, address)))
}

fn configuration(folder: &Path, address: SocketAddr, upstream: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        r#"daemon off;
worker_processes 2;
pid "{folder}/nginx.pid";
error_log "{folder}/error.log" warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path "{folder}/body";
    proxy_temp_path "{folder}/proxy";
    fastcgi_temp_path "{folder}/fastcgi";
    uwsgi_temp_path "{folder}/uwsgi";
    scgi_temp_path "{folder}/scgi";
    client_max_body_size 2m;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    upstream behind {{
        server {upstream};
        keepalive 256;
        keepalive_requests 1000000000;
        keepalive_time 1h;
    }}
    server {{
        listen {address};
        location = {READY_PATH} {{ return 200; }}
        location / {{
            proxy_pass http://behind;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"#
    )
}

/// A loopback address that was free a moment ago.
pub(crate) fn free_address() -> Outcome<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context(|| "no free port".to_owned())?;
    Ok(listener.local_addr()?)
}
