"""The style sheet of the page of a matrix. Colours of the Okabe-Ito palette, and a sign of its own for each verdict."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de; --head: #f3f5f7; --mark: #ffe8a3;
  --a: #0072b2; --a-text: #ffffff; --b: #fbe3d6; --b-text: #a33c00; --u: #f0e442; --u-text: #3d3800;
  --m: #56b4e9; --m-too: #d3ebf9; --none: #eceff1; --none-text: #7a838c; --differs: #b0307f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181d; --text: #e6e9ec; --quiet: #9aa4ae; --line: #39424b; --head: #1f252c; --mark: #5b4a12;
    --a: #3d9bd9; --a-text: #06121b; --b: #40261a; --b-text: #ff9d66; --u: #d9cd2f; --u-text: #262300;
    --m: #66b7e6; --m-too: #b9def4; --none: #232a31; --none-text: #8b959e; --differs: #f07fc4;
  }
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { background: var(--page); color: var(--text); font: 14px/1.45 system-ui, sans-serif;
  display: grid; grid-template: auto minmax(0, 1fr) / minmax(0, 1fr) 22rem; }
header { grid-column: 1 / -1; padding: .7rem 1rem .6rem; border-bottom: 1px solid var(--line); }
h1 { font-size: 1.1rem; margin: 0 0 .1rem; }
h2 { font-size: 1rem; margin: 0 0 .4rem; overflow-wrap: anywhere; }
p { margin: 0 0 .5rem; }
.quiet { color: var(--quiet); }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin-top: .5rem; }
.tools label { display: grid; font-size: .8rem; color: var(--quiet); }
input, select, button { font: inherit; color: var(--text); background: var(--page); border: 1px solid var(--quiet);
  border-radius: 5px; padding: .25rem .5rem; min-height: 2rem; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--a); outline-offset: 1px; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem .9rem; list-style: none; margin: 0; padding: 0;
  font-size: .85rem; }
.legend i { display: inline-grid; place-content: center; width: 1.3rem; height: 1.3rem; margin-right: .35rem;
  font-style: normal; vertical-align: middle; border-radius: 3px; }
main { overflow: auto; scroll-padding: 11rem 2rem 2rem 15rem; }
table { border-collapse: separate; border-spacing: 1px; margin: 0 1rem 1rem 0; font-size: .8rem; }
th { font-weight: 400; background: var(--page); padding: 0; }
thead th { position: sticky; top: 0; z-index: 2; vertical-align: bottom; }
tbody th { position: sticky; left: 0; z-index: 1; text-align: left; }
thead th:first-child { left: 0; z-index: 3; text-align: left; padding: 0 .5rem .2rem 1rem; }
th button { border: 0; min-height: 0; background: none; padding: 0; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; display: block; }
tbody th button { width: 15rem; padding: 0 .4rem 0 1rem; text-align: left; line-height: 1.5rem; }
thead th button { writing-mode: vertical-rl; transform: rotate(180deg); height: 10.5rem; width: 1.5rem;
  line-height: 1.5rem; text-align: left; padding: .2rem 0; }
th.hit button, th button:hover { background: var(--mark); }
th.space button { font-weight: 600; }
td { min-width: 1.5rem; height: 1.5rem; padding: 0; text-align: center; cursor: pointer; border-radius: 3px;
  line-height: 1.5rem; font-size: .72rem; }
td:focus-visible { outline-offset: -2px; outline-color: var(--text); position: relative; }
td.chosen { box-shadow: inset 0 0 0 2px var(--text); }
.a { background: var(--a); color: var(--a-text); }
.b { background: var(--b); color: var(--b-text); }
.u { background: var(--u); color: var(--u-text); }
.m { background: var(--m-too); color: #06121b; }
td.m, i.m { background: repeating-linear-gradient(135deg, var(--m) 0 4px, var(--m-too) 4px 8px); }
td.share { background: var(--m-too); }
.n { background: var(--none); color: var(--none-text); }
.i { background: repeating-linear-gradient(135deg, var(--line) 0 1px, transparent 1px 5px); }
.differs { box-shadow: inset 0 0 0 3px var(--differs); font-weight: 700; }
aside { border-left: 1px solid var(--line); padding: .8rem 1rem; overflow: auto; }
aside section + section { border-top: 1px solid var(--line); margin-top: .8rem; padding-top: .8rem; }
code { display: block; background: var(--head); border: 1px solid var(--line); border-radius: 5px; padding: .4rem .5rem;
  margin: .2rem 0 .3rem; overflow-wrap: anywhere; font: .8rem/1.4 ui-monospace, monospace; }
aside ul { margin: 0 0 .5rem; padding-left: 1.1rem; overflow-wrap: anywhere; }
.tag { display: inline-block; border-radius: 3px; padding: 0 .4rem; }
.warning { color: var(--differs); font-weight: 600; }
#empty { padding: 1rem; }
@media (max-width: 60rem) {
  html, body { height: auto; }
  body { display: block; }
  main { max-height: 70vh; border-bottom: 1px solid var(--line); scroll-padding: 9rem 1rem 1rem 9rem; }
  aside { border-left: 0; }
  tbody th button { width: 9rem; padding-left: .5rem; }
  thead th button { height: 8rem; }
}
"""
