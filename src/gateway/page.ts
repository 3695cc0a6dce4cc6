/** What `GET /` says; open to everybody, so it names no model and no key. */
export interface PageFacts {
  readonly version: string
  readonly litellmVersion: string
  readonly isDraining: boolean
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

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--paper:#fff;--line:#d9dee3;--mark:#0a7d4b}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa4ae;--paper:#14171a;--line:#30363d;--mark:#4cc38a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:46rem;margin:0 auto;padding:3rem 1.25rem}
h1{font-size:1.7rem;margin:0 0 .25rem}
h2{font-size:1.1rem;margin:2.2rem 0 .6rem}
p{margin:.4rem 0}
.soft{color:var(--soft)}
.state{color:var(--mark);font-weight:600}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.45rem .8rem .45rem 0;border-bottom:1px solid var(--line);vertical-align:top}
code,pre{font:14px/1.5 ui-monospace,monospace}
pre{overflow-x:auto;padding:.8rem 1rem;border:1px solid var(--line);border-radius:6px}
`

/** The page: plain HTML, nothing loaded from elsewhere, no script. */
export function page({ version, litellmVersion, isDraining }: PageFacts): string {
  const rows = ROUTES.map(
    ([method, path, purpose, needsKey]) =>
      `<tr><td><code>${method} ${path}</code></td><td>${purpose}</td><td>${needsKey ? 'key' : 'open'}</td></tr>`,
  ).join('\n')
  const state = isDraining ? 'Shutting down: no new traffic, please.' : 'Serving.'
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pulsegate</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Pulsegate</h1>
<p class="soft">An LLM gateway that knows which of your models are alive.</p>
<p><span class="state">${state}</span> <span class="soft">Version ${version}, following LiteLLM ${litellmVersion}.</span></p>
<h2>Where to look</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">Route</th><th scope="col">What it answers</th><th scope="col">Access</th></tr></thead>
<tbody>
${rows}
</tbody>
</table></div>
<h2>Try it</h2>
<pre><code>curl -H "Authorization: Bearer $KEY" http://localhost:4000/health</code></pre>
<p class="soft">The key is the <code>master_key</code> of config.yaml. Without one, every route is open.</p>
</main>
</body>
</html>
`
}
