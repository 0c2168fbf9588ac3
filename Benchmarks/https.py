"""The yardstick: the same bytes put over HTTPS with curl to nginx, on the same machine and file system."""

import os
import shutil
import socket

from processes import BenchError, Service, run

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {place}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {place}/certificate.pem;
        ssl_certificate_key {place}/key.pem;
        ssl_protocols TLSv1.3;
        client_max_body_size 1g;
        location / {{ root {place}/files; dav_methods PUT; }}
    }}
}}
"""


class Nginx:
    """An nginx of our own: configuration, certificate and files in a temporary place, a free port of loopback."""

    def __init__(self, place):
        os.makedirs(f"{place}/files")
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if program is None:
            raise BenchError("nginx is missing; 'scripts/setup --bench' installs it")
        self.certificate = f"{place}/certificate.pem"
        run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", "/CN=iocom bench", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
            "-keyout", f"{place}/key.pem", "-out", self.certificate])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        # Workers of a master that root started run as this user, who must be able to write.
        user = "user root;\n" if os.getuid() == 0 else ""
        with open(f"{place}/nginx.conf", "w") as file:
            file.write(user + CONFIGURATION.format(place=place, port=self.port))
        self.files = f"{place}/files"
        self.service = Service(
            "nginx", [program, "-p", place, "-c", f"{place}/nginx.conf"], f"{place}/nginx.log")
        self._wait()

    def _wait(self):
        run(["curl", "--silent", "--retry", "50", "--retry-connrefused", "--retry-delay", "0", "--retry-max-time", "10",
             "--cacert", self.certificate, "--output", "/dev/null", f"https://127.0.0.1:{self.port}/"])

    def put(self, path, name):
        """Uploads a file; gives what curl cost."""
        return run([
            "curl", "--silent", "--show-error", "--fail", "--cacert", self.certificate, "--upload-file", path,
            f"https://127.0.0.1:{self.port}/{name}"])

    @property
    def worker(self):
        """The one worker, which does the work."""
        pid = self.service.pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return int(children.read().split()[0])

    def stop(self):
        self.service.stop()
