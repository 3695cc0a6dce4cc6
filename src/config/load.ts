import type { ResolveModel } from '../core/resolve.ts'
import { reportAliases, reportFallbacks, reportHedges } from './check-aliases.ts'
import { checkRoot, notActedOn, reportShellVariables, resolveSettings, SETTINGS } from './check-root.ts'
import type { Config, Environment, Loaded } from './config.ts'
import { plainText } from './connection.ts'
import { readDeployments } from './deployments.ts'
import { checkEngine, readEngine } from './engine-settings.ts'
import { parseDotEnv, resolveVariable } from './env.ts'
import { checkBlock, reportParam, type Report } from './check.ts'
import { keepSecret, keepSecrets } from './keep-secrets.ts'
import { PARAMS } from './known-keys.ts'
import { child, createSource, entriesOf, scalarText, textOf, type MapNode, type YamlNode } from './node.ts'
import { readCredential, type Credential } from './params.ts'
import { tidied, problemAt, type Problem } from './problem.ts'
import { readFiles, readText, type Files, type ReadFile } from './read-files.ts'
import { createSecretBag, keepEnvironment, looksSecret, type SecretBag } from './secrets.ts'
import { checkSharing, readSharing } from './sharing-settings.ts'
import { readGeneral, readLibrary, readNetwork, readProbeDefaults, readRouter } from './settings.ts'

/** What loading needs from outside. */
export interface LoadInputs {
  /** The config file, absolute or relative to the working directory. */
  readonly path: string
  /** Rejects with a system error where a file cannot be read. */
  readonly readFile: ReadFile
  readonly env: Environment
  readonly resolve: ResolveModel
}

/**
 * Loads a config file with all it includes. Never rejects: what is wrong comes back as problems, all at once,
 * and `config` is absent where one of them is fatal.
 */
export async function loadConfig(inputs: LoadInputs): Promise<Loaded> {
  const dotEnv = await readDotEnv(inputs)
  const files = await readFiles(inputs.path, inputs.readFile)
  return build(files, inputs.path, { ...dotEnv, ...definedOnly(inputs.env) }, inputs.resolve)
}

/** What `--model` may be completed by, and what loading needs. */
export interface ModelInputs extends Omit<LoadInputs, 'path'> {
  readonly apiBase?: string
  readonly apiVersion?: string
}

/** The config of `--model openai/gpt-4o`: one deployment, everything else by default. */
export async function configFromModel(model: string, inputs: ModelInputs): Promise<Loaded> {
  const dotEnv = await readDotEnv(inputs)
  const params = { model, api_base: inputs.apiBase, api_version: inputs.apiVersion }
  const file = `--model ${model}`
  // JSON is YAML, and leaves out what is undefined.
  const text = `model_list: [${JSON.stringify({ model_name: model, litellm_params: params })}]\n`
  return build(
    readText(createSource(file, text)),
    file,
    { ...dotEnv, ...definedOnly(inputs.env) },
    inputs.resolve,
  )
}

/** `.env` of the working directory, as LiteLLM loads it; a missing one is none. */
async function readDotEnv({ env, readFile }: Pick<LoadInputs, 'env' | 'readFile'>): Promise<Environment> {
  if (env['LITELLM_MODE']?.toUpperCase() === 'PRODUCTION') return {}
  try {
    return parseDotEnv(new TextDecoder().decode(await readFile('.env')), env)
  } catch {
    // Optional by nature: without it the environment is as it is.
    return {}
  }
}

function definedOnly(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined))
}

function build(files: Files, path: string, processEnv: Environment, resolve: ResolveModel): Loaded {
  const problems: Problem[] = [...files.problems]
  if (files.root === undefined) return { problems: tidied(problems) }
  const report: Report = (problem) => problems.push(problem)
  const bag = createSecretBag()
  const env = completeEnvironment(files.root, processEnv, bag, report)
  keepEnvironment(env, bag)
  const root = resolveSettings(files.root, env, report)
  reportShellVariables(files.root, '', report)
  const isWhole = !files.problems.some(({ severity }) => severity === 'fatal')
  checkRoot(root, isWhole, report)
  checkEngine(root, report)
  checkSharing(root, env, report)
  for (const [name, { value }] of root.entries) {
    // Deployments and credentials are kept where they are resolved.
    if (name !== 'model_list' && name !== 'credential_list') keepSecrets(value, SETTINGS.get(name), bag)
  }
  const credentials = readCredentials(root, env, bag, report)
  const list = child(root, 'model_list')
  const items = list?.kind === 'list' ? list.items : []
  reportUnknownCredentials(root, credentials, report)
  const { deployments, entries } = readDeployments(items, {
    env,
    resolve,
    bag,
    report,
    credentialOf: (name) => credentials.get(name),
    defaults: readDefaults(root, env, bag, report),
  })
  if (problems.some(({ severity }) => severity === 'fatal')) return { problems: tidied(problems) }
  reportAliases(root, deployments, resolve, report)
  reportFallbacks(root, deployments, resolve, report)
  reportHedges(root, deployments, report)
  const complain = (variable: string, message: string): void =>
    report({ severity: 'warning', file: path, path: variable, message })
  const general = readGeneral(root, env, bag, complain, files.root)
  const router = readRouter(root)
  const sharing = readSharing(root, env, general.databaseUrl, bag)
  const config: Config = {
    path,
    deployments,
    general,
    router,
    engine: readEngine(root, general, router),
    ...(sharing && { sharing }),
    litellm: readLibrary(root),
    probing: readProbeDefaults(env, complain),
    network: readNetwork(root, env),
    env,
    // Last, for the settings above add theirs.
    secrets: bag.all(),
    notActedOn: notActedOn(root),
  }
  return { config, written: { root: files.root, entries }, problems: tidied(problems) }
}

/** Adds `environment_variables`; a variable that is already set wins. */
function completeEnvironment(root: MapNode, env: Environment, bag: SecretBag, report: Report): Environment {
  const complete: Record<string, string | undefined> = { ...env }
  for (const { key, value } of entriesOf(child(root, 'environment_variables')).values()) {
    const name = scalarText(key)
    const resolved = resolveVariable(value, env)
    if (resolved.unset !== undefined && env[name] === undefined) {
      const message = `the environment variable ${resolved.unset} is not set, so ${name} is not; set it, or remove this line`
      report(problemAt('warning', value, `environment_variables.${name}`, message))
    }
    const text = plainText(resolved.node)
    if (text === undefined) continue
    if (looksSecret(name)) bag.keep(text)
    complete[name] ??= text
  }
  return complete
}

/** `default_litellm_params`: what a deployment is called cannot be everybody's. */
function readDefaults(root: MapNode, env: Environment, bag: SecretBag, report: Report): Credential {
  const node = child(child(root, 'router_settings'), 'default_litellm_params')
  const path = 'router_settings.default_litellm_params'
  // A value that is no map was complained of with the other settings.
  if (node?.kind === 'map')
    checkBlock(PARAMS, node, path, report, (name, found) => reportParam(name, found, path, report))
  const { values, unset } = readCredential(node, env)
  for (const [key, value] of values) keepSecret(value, PARAMS.get(key)?.secret ?? looksSecret(key), bag)
  return { values: new Map([...values].filter(([key]) => key !== 'model')), unset }
}

function readCredentials(
  root: MapNode,
  env: Environment,
  bag: SecretBag,
  report: Report,
): ReadonlyMap<string, Credential> {
  const credentials = new Map<string, Credential>()
  const list = child(root, 'credential_list')
  for (const item of list?.kind === 'list' ? list.items : []) {
    const name = textOf(child(item, 'credential_name'))
    if (name === undefined) continue
    const credential = readCredential(child(item, 'credential_values'), env)
    for (const [key, value] of credential.values) keepSecret(value, PARAMS.get(key)?.secret ?? true, bag)
    for (const { param, variable, place } of credential.unset) {
      const path = `credential_list.${name}.${param}`
      report(
        problemAt(
          'warning',
          place,
          path,
          `the environment variable ${variable} is not set; set it, or remove this line`,
        ),
      )
    }
    credentials.set(name, credential)
  }
  return credentials
}

function reportUnknownCredentials(
  root: MapNode,
  credentials: ReadonlyMap<string, Credential>,
  report: Report,
): void {
  const look = (params: YamlNode | undefined, place: string): void => {
    const node = child(params, 'litellm_credential_name')
    const name = textOf(node)
    if (node === undefined || name === undefined || credentials.has(name)) return
    const words = `credential_list has no "${name}"; the deployment goes without it`
    report(problemAt('warning', node, `${place}.litellm_credential_name`, words))
  }
  const list = child(root, 'model_list')
  const items = list?.kind === 'list' ? list.items : []
  items.forEach((item, index) => look(child(item, 'litellm_params'), `model_list.${index}.litellm_params`))
  look(
    child(child(root, 'router_settings'), 'default_litellm_params'),
    'router_settings.default_litellm_params',
  )
}
