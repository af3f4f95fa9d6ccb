"""Style sheet of a comparison's page: for wide screens, telephones, dark mode and print."""

STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1d2733; --muted: #5b6773; --paper: #ffffff; --soft: #f4f6f8; --line: #dfe4e9; --accent: #0072b2;
  --warning: #b4470a; --warning-soft: #fdf3ec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e4e8ed; --muted: #9aa6b2; --paper: #12171e; --soft: #1a212a; --line: #2b3541; --accent: #58b4e6;
    --warning: #f0995e; --warning-soft: #2a1d14;
  }
  /* figures are drawn on white: lightness turns over, hues stay, and black becomes the paper */
  figure img { filter: invert(1) hue-rotate(180deg); mix-blend-mode: screen; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: break-word;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 2.5rem) 4rem; }
h1 { font-size: clamp(1.5rem, 4.5vw, 2.1rem); line-height: 1.2; letter-spacing: -0.015em; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; letter-spacing: -0.005em; margin: 0 0 0.75rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 0.4rem; }
section { margin: 2.75rem 0 0; }
figure { margin: 0; }
figure + figure { margin-top: 2.25rem; }
ul { margin: 0; padding-left: 1.2rem; max-width: 75ch; }
li + li { margin-top: 0.3rem; }
pre, .scroll { overflow-x: auto; }
pre {
  margin: 0; padding: 0.7rem 0.9rem; background: var(--soft); border-radius: 6px;
  font: 0.85rem/1.6 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table {
  border-collapse: collapse; width: max-content; min-width: 100%; font-size: 0.92rem;
  font-variant-numeric: tabular-nums;
}
th, td { padding: 0.45rem 0.8rem; max-width: 12rem; text-align: right; border-bottom: 1px solid var(--line); }
.word { text-align: left; max-width: none; white-space: nowrap; }
th:first-child { padding-left: 0; position: sticky; left: 0; background: var(--paper); }
thead th { color: var(--muted); font-weight: 500; max-width: 7rem; vertical-align: bottom; }
tbody th { font-weight: 600; }
th:last-child, td:last-child { padding-right: 0; }
dl { margin: 0; font-size: 0.92rem; }
dl div {
  display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 5fr); gap: 1rem; padding: 0.25rem 0;
  border-bottom: 1px solid var(--line);
}
dt { color: var(--muted); }
dt, dd { overflow-wrap: anywhere; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)); gap: 0.5rem 2.5rem; }
.columns h3 { margin-top: 0.5rem; }
.columns dl div { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); }
.warning { padding: 1rem 1.2rem; background: var(--warning-soft); border-left: 4px solid var(--warning); }
.warning h2 { color: var(--warning); }
img { display: block; width: 100%; min-width: 760px; height: auto; }
video { display: block; width: 100%; height: auto; border-radius: 6px; background: #0d1117; }
figcaption, p { margin: 0.6rem 0 0; color: var(--muted); font-size: 0.9rem; max-width: 85ch; }
@media print {
  :root {
    --ink: #000000; --muted: #444444; --paper: #ffffff; --soft: #f4f4f4; --line: #cccccc; --accent: #000000;
    --warning: #000000; --warning-soft: #f4f4f4;
  }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  figure img { filter: none; mix-blend-mode: normal; min-width: 0; }
  pre { white-space: pre-wrap; }
  table { width: 100%; font-size: 7.5pt; }
  th, td { padding: 0.2rem 0.3rem; overflow-wrap: normal; }
  th:first-child { position: static; }
  .word { white-space: normal; }
  figure, tr, pre, .warning { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  /* a film cannot be printed */
  section:has(video) { display: none; }
}
"""
