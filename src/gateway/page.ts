/** What `GET /` says; open to everybody, so it names no model and no key. */
export interface PageFacts {
  readonly version: string
  readonly litellmVersion: string
  readonly isDraining: boolean
  /** Where the reader reached us, for lines to copy: `http://host:port`. */
  readonly address: string
}

/** Method, path, what it is for, and whether it needs the key. */
const ROUTES: readonly (readonly [string, string, string, boolean])[] = [
  ['GET', '/health', 'Checks every model, or shows the newest check of each', true],
  ['GET', '/health/readiness', 'May traffic come here?', false],
  ['GET', '/health/liveliness', 'Is the process alive?', false],
  ['GET', '/v1/models', 'The models to ask for', true],
  ['GET', '/v1/model/info', 'Each deployment behind them, with its id', true],
  ['POST', '/v1/chat/completions', "OpenAI's chat, streamed or whole", true],
]

/** A heartbeat; in the page itself, since browsers ask for an icon anyway. */
const PULSE = 'M2 17h7l4-11 7 20 4-9h6'
const ICON = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="${PULSE}" fill="none" stroke="#12a067" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
)}`

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--paper:#fff;--card:#f6f8fa;--line:#d9dee3;--good:#0a7d4b;--warn:#9a5b00}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa4ae;--paper:#14171a;--card:#1c2126;--line:#30363d;--good:#4cc38a;--warn:#e3a34a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:50rem;margin:0 auto;padding:clamp(1.5rem,6vw,4rem) 1.25rem}
h1{display:flex;align-items:center;gap:.6rem;font-size:1.9rem;line-height:1.2;letter-spacing:-.02em;margin:0 0 .4rem}
h1 svg{width:2rem;height:2rem;flex:none}
h2{font-size:1.05rem;margin:2.4rem 0 .7rem}
p{margin:.4rem 0}
.soft{color:var(--soft)}
.state{display:inline-flex;align-items:center;gap:.5rem;margin-right:.4rem;font-weight:600;color:var(--good)}
.state::before{content:"";width:.6rem;height:.6rem;border-radius:50%;background:currentColor}
.state.draining{color:var(--warn)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.55rem 1rem .55rem 0;border-bottom:1px solid var(--line);vertical-align:baseline}
th{font-size:.85rem;font-weight:600;color:var(--soft)}
th:last-child,td:last-child{padding-right:0;text-align:right}
a{color:inherit;text-decoration-color:var(--good);text-underline-offset:.2em}
code,pre{font:14px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
td code{white-space:nowrap}
.tag{font-size:.8rem;padding:.1rem .55rem;border:1px solid var(--line);border-radius:1rem;color:var(--soft);white-space:nowrap}
pre{overflow-x:auto;margin:.4rem 0;padding:.9rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:8px}
@media (max-width:40rem){
thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
tr{display:grid;grid-template-columns:1fr auto;padding:.6rem 0;border-bottom:1px solid var(--line)}
td{border:0;padding:.05rem 0}td:nth-child(2){grid-row:2;grid-column:1/-1;color:var(--soft)}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
}
`

/** The page: plain HTML, nothing loaded from elsewhere, no script. */
export function page({ version, litellmVersion, isDraining, address }: PageFacts): string {
  const state = isDraining
    ? '<span class="state draining">Shutting down: no new traffic, please.</span>'
    : '<span class="state">Serving.</span>'
  const pulse = `<svg viewBox="0 0 32 32" aria-hidden="true"><path d="${PULSE}" fill="none" stroke="var(--good)" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>`
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pulsegate</title>
<link rel="icon" href="${ICON}">
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${pulse}Pulsegate</h1>
<p class="soft">An LLM gateway that knows which of your models are alive.</p>
<p>${state} <span class="soft">Version ${version}, following LiteLLM ${litellmVersion}.</span></p>
<h2>Where to look</h2>
<table>
<thead><tr><th scope="col">Route</th><th scope="col">What it answers</th><th scope="col">Access</th></tr></thead>
<tbody>
${ROUTES.map(row).join('\n')}
</tbody>
</table>
<h2>Try it</h2>
<pre><code>curl ${escaped(address)}/health -H "Authorization: Bearer $KEY"</code></pre>
<p class="soft">The key is the <code>master_key</code> of config.yaml. Without one, every route is open.</p>
</main>
</body>
</html>
`
}

/** A browser sends no key: only what is open is a link. */
function row([method, path, purpose, needsKey]: (typeof ROUTES)[number]): string {
  const name = needsKey ? path : `<a href="${path}">${path}</a>`
  const access = `<span class="tag">${needsKey ? 'key' : 'open'}</span>`
  return `<tr><td><code>${method} ${name}</code></td><td>${purpose}</td><td>${access}</td></tr>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
