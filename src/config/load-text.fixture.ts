import type { ResolveModel } from '../core/resolve.ts'
import type { Config, Environment, Loaded } from './config.ts'
import { loadConfig } from './load.ts'
import { formatProblem } from './problem.ts'

/** Knows three providers; `ghost/` is none. Every other bare name is OpenAI's. */
export const tableResolve: ResolveModel = (model, { customProvider }) => {
  const [prefix = '', ...rest] = model.split('/')
  const provider = customProvider ?? (rest.length === 0 ? 'openai' : prefix)
  const upstreamModel = rest.length === 0 || prefix !== provider ? model : rest.join('/')
  if (['openai', 'azure', 'cohere'].includes(provider)) return { provider, upstreamModel }
  return { provider, upstreamModel, problem: `unknown provider "${provider}"` }
}

/** Loads texts as if they were files; `config.yaml` is the one that is asked for. */
export function loadFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  env: Environment = {},
): Promise<Loaded> {
  const readFile = (path: string): Promise<Uint8Array> => {
    const file = files[path]
    if (file === undefined)
      return Promise.reject(Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }))
    return Promise.resolve(typeof file === 'string' ? Buffer.from(file) : file)
  }
  return loadConfig({ path: 'config.yaml', readFile, env, resolve: tableResolve })
}

/** Loads one text that must have no fatal problem. */
export async function loadText(text: string, env: Environment = {}): Promise<Config> {
  const { config, problems } = await loadFiles({ 'config.yaml': text }, env)
  if (config === undefined) throw new Error(problems.map(formatProblem).join('\n'))
  return config
}

/** The problems of one text, as a user reads them, with their severity in front. */
export async function problemsOf(text: string, env: Environment = {}): Promise<readonly string[]> {
  const { problems } = await loadFiles({ 'config.yaml': text }, env)
  return problems.map((problem) => `${problem.severity} ${formatProblem(problem)}`)
}
