"""The plan that the README shows is what a plan looks like."""

from reconciler.model.plan import Action, AppPlan, Change, Plan
from reconciler.reports.plan_text import plan_text
from tests.docs.markdown import ROOT, blocks

DIFF = """\
@@ -1,4 +1,4 @@
 server {
-    listen 80;
+    listen 8080;
     server_name www.example.net;
     root /var/www/html;"""


def shown_plan() -> Plan:
    site = Change("file:/etc/nginx/sites-available/webapp.conf", Action.CHANGE, "1", "2", diff=tuple(DIFF.split("\n")))
    link = Change("link:/etc/nginx/sites-enabled/default", Action.DELETE, "1", "")
    apps = tuple(
        AppPlan(host, "webapp", changes, follow_ups=("reload nginx (site changes)",))
        for host, changes in (("web-1", (site,)), ("web-2", (site, link)))
    )
    return Plan("1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", ("db-1", "web-1", "web-2"), apps, {"webapp": 20})


def test_the_readme_shows_a_plan_as_it_is_printed() -> None:
    first = next(blocks(ROOT / "README.md", ""))
    command, _, printed = first.text.partition("\n")
    assert command == "$ reconcile --dry-run"
    assert printed == plan_text(shown_plan(), color=False, dry_run=True)
