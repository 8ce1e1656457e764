"""The report's style sheet: system fonts, light and dark, readable on a phone and on paper."""

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --card: #f6f7f9; --ink: #1b2130; --soft: #5b6475; --rule: #dfe3ea;
  --s0: #2f6fde; --s1: #d9622b; --ring: #1b2130; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171e; --card: #1c2029; --ink: #e8ebf1; --soft: #a2abbb;
  --rule: #323946; --s0: #7aa7ff; --s1: #ff9d6b; --ring: #e8ebf1; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI",
  Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 40px 0 12px; }
header p { margin: 4px 0 0; color: var(--soft); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 24px 0 0; }
.cards div { background: var(--card); border-radius: 10px; padding: 12px 16px; }
.cards dt { color: var(--soft); font-size: .85rem; }
.cards dd { margin: 0; font-size: 1.35rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 20px; }
figure { margin: 0; background: var(--card); border-radius: 10px; padding: 14px 14px 8px; break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: baseline; padding: 0 4px 6px; }
figcaption strong { margin-right: auto; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 13px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
.line.s0 { stroke: var(--s0); } .line.s1 { stroke: var(--s1); stroke-dasharray: 7 4; }
.dot.s0 { fill: var(--s0); } .dot.s1 { fill: var(--s1); }
.mark { fill: var(--paper); stroke: var(--ring); stroke-width: 2; }
.key { color: var(--soft); font-size: .85rem; white-space: nowrap; }
.key::before { content: ""; display: inline-block; width: 18px; margin-right: 6px; vertical-align: middle;
  border-top: 3px solid var(--s0); }
.key.s1::before { border-top: 3px dashed var(--s1); }
.key.ring::before { width: 10px; height: 10px; border: 2px solid var(--ring); border-radius: 50%; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; padding: 7px 18px 7px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
thead th, tbody th, tr > th { color: var(--soft); font-weight: 500; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; padding: 7px 0 7px 18px; white-space: nowrap; }
details { margin-top: 40px; }
summary { cursor: pointer; font-size: 1.1rem; font-weight: 600; margin-bottom: 12px; }
@media print { main { max-width: none; } .figures { grid-template-columns: 1fr 1fr; } }
"""
