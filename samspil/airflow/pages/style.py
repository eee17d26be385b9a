"""The pages' one style sheet: plain, light or dark as the browser asks. The pages allow no other style, and no script."""

from __future__ import annotations

import base64
from hashlib import sha256

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #1b2430; --soft: #5b6775; --line: #dfe4ea; --quiet: #f0f2f5;
  --link: #0b5cad; --fine: #1b7a43; --held: #9a5b00; --stopped: #b42318; --waiting: #4a5b78;
  --read: #7d93b2; --delivered: #2f9e5f; --held-bar: #d98a1f;
  --fine-bg: #e6f4ec; --held-bg: #fdf1dc; --stopped-bg: #fde8e6; --waiting-bg: #e9eef6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #1a2029; --ink: #e6eaf0; --soft: #9aa6b5; --line: #2c3541; --quiet: #222a35;
    --link: #7ab7f5; --fine: #6fd39b; --held: #f0b964; --stopped: #ff9488; --waiting: #a9bbd8;
    --read: #6f86a8; --delivered: #3fae70; --held-bar: #d98a1f;
    --fine-bg: #173325; --held-bg: #3a2c12; --stopped-bg: #421d1a; --waiting-bg: #232d3d;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.45;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif; font-size: 14px; }
main { max-width: 1500px; margin: 0 auto; padding: 24px 24px 56px; }
.back { margin-bottom: 8px; }
h1 { font-size: 24px; font-weight: 650; margin: 0; letter-spacing: -.01em; }
h2 { font-size: 17px; font-weight: 650; margin: 0; }
p { margin: 0; }
a { color: var(--link); text-underline-offset: 2px; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.soft { color: var(--soft); }
.nowrap { white-space: nowrap; }
.top { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; justify-content: space-between; }
.totals { display: flex; flex-wrap: wrap; gap: 10px; list-style: none; padding: 0; margin: 18px 0 0; }
.totals li { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--line);
  border-radius: 8px; padding: 8px 18px 8px 14px; min-width: 170px; color: var(--soft); }
.totals strong { display: block; font-size: 22px; line-height: 1.2; color: var(--ink); }
.totals .stopped { border-left-color: var(--stopped); } .totals .held { border-left-color: var(--held); }
.totals .waiting { border-left-color: var(--waiting); } .totals .fine { border-left-color: var(--fine); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin-top: 20px; overflow: hidden; }
section > header { display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: baseline; padding: 14px 18px 12px; }
section > p, section > .step { padding: 0 18px 16px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; font-size: 12px; color: var(--soft); white-space: nowrap; }
th, td { padding: 8px 10px; border-top: 1px solid var(--line); vertical-align: top; }
thead th { background: var(--quiet); vertical-align: bottom; }
th:first-child, td:first-child { padding-left: 18px; }
th:last-child, td:last-child { padding-right: 18px; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.zero { color: var(--soft); opacity: .65; }
.mark { text-align: center; font-weight: 700; }
.mark.yes { color: var(--fine); } .mark.no { color: var(--stopped); } .mark.unknown { color: var(--soft); }
tbody tr.stopped > :first-child { box-shadow: inset 4px 0 var(--stopped); }
tbody tr.held > :first-child { box-shadow: inset 4px 0 var(--held); }
.flow a { font-weight: 600; }
.flow small { display: block; color: var(--soft); font-size: 12px; font-weight: 400; }
.pill { display: inline-block; padding: 1px 9px; border-radius: 999px; font-size: 12px; font-weight: 600; white-space: nowrap; }
.pill.fine { color: var(--fine); background: var(--fine-bg); } .pill.held { color: var(--held); background: var(--held-bg); }
.pill.stopped { color: var(--stopped); background: var(--stopped-bg); }
.pill.waiting { color: var(--waiting); background: var(--waiting-bg); }
.overview { table-layout: fixed; min-width: 1370px; }  /* the same columns in every municipality's table */
.overview th, .overview td { padding-left: 7px; padding-right: 7px; }
.overview thead .flow { width: 168px; } .overview thead .state { width: 152px; } .overview thead .started { width: 108px; }
.overview thead .number { width: 80px; white-space: normal; } .overview thead .mark { width: 74px; }
.overview th:first-child, .overview td:first-child { padding-left: 18px; }
code { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; font-size: 12px; }
.step code { display: block; width: fit-content; margin-top: 4px; padding: 2px 8px; background: var(--quiet); border: 1px solid var(--line);
  border-radius: 5px; user-select: all; -webkit-user-select: all; cursor: copy; overflow-wrap: anywhere; }
.step.fine { color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; padding: 0 18px 16px; }
dt { color: var(--soft); } dd { margin: 0; max-width: 85ch; }
.chart { padding: 4px 18px 16px; overflow-x: auto; }
svg { display: block; width: 100%; max-width: 900px; min-width: 560px; height: auto; }
svg text { fill: var(--soft); font-size: 12px; } svg .name { fill: var(--ink); font-weight: 600; font-size: 13px; }
svg .day { font-size: 11px; text-anchor: middle; } svg line { stroke: var(--line); }
svg .read { fill: var(--read); } svg .delivered { fill: var(--delivered); } svg .held_back { fill: var(--held-bar); }
@media (max-width: 700px) { main { padding: 16px 12px 40px; } dl { grid-template-columns: 1fr; } dd { margin-bottom: 6px; } }
"""

CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(sha256(STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
