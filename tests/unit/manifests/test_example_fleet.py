"""The example fleet is really usable: what it renders is what nginx and the MySQL client read."""

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.manifests.kinds import KINDS
from reconciler.model.desired import Bundle
from reconciler.rendering import Renderer
from tests.unit.manifests.trees import example, load

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
MAIN = """\
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    uwsgi_temp_path {root}/uwsgi;
    scgi_temp_path {root}/scgi;
    include {root}/site.conf;
}}
"""


def rendered(template: str) -> str:
    """A template of the example fleet as the web app has it on a real host."""
    manifests = load(example())
    config = {**manifests.apps["webapp"].config, "mysql_host": "db.example.org", "nginx_port": 8080}
    bundle = Bundle.of(
        {
            "app": "webapp",
            "resources": [{"kind": "file", "fields": {"path": "/x", "template": template}}],
            "health": [],
            "templates": {name: text for name, text in manifests.templates.items() if name == template},
            "policy": {},
        }
    )
    host = {"name": "web-1", "address": "10.0.0.5", "labels": {"role": "web"}, "sandbox": False}
    values = {
        "config": config,
        "host": host,
        "vars": {"contact": "ops@example.org", "environment": "demo"},
        "facts": {},
    }
    found = Renderer(bundle).render(values, {"webapp/mysql_pass": "s3cret#;'x"})
    content: str = found.resources[0].fields["content"]
    return content


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_accepts_the_site(tmp_path: Path) -> None:
    logs = "/var/log/nginx/"
    (tmp_path / "site.conf").write_text(rendered("nginx/site.conf.j2").replace(logs, f"{tmp_path}/"))
    (tmp_path / "nginx.conf").write_text(MAIN.format(root=tmp_path))

    run = subprocess.run(
        [str(NGINX), "-t", "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stderr


def test_the_mysql_options_hold_the_connection() -> None:
    options = configparser.ConfigParser(interpolation=None, allow_no_value=True)
    options.read_string(rendered("mysql/client.cnf.j2"))

    assert dict(options["client"]) == {
        "host": "db.example.org",
        "port": "3306",
        "user": "webapp",
        "password": '"s3cret#;\'x"',
        "default-character-set": "utf8mb4",
    }


def test_the_file_with_the_password_is_closed_to_others() -> None:
    resources = {resource.name: resource for resource in load(example()).apps["webapp"].each_resource()}

    assert resources["mysql options"].fields["mode"] == "0600"


def test_the_example_shows_every_kind() -> None:
    manifests = load(example())

    assert all(getattr(manifests, field) for field in KINDS.values())
