import { createSource } from './node.ts'
import { loadConfig } from './load.ts'
import { paramKind, PARAMS } from './known-keys.ts'
import type { Connection, Deployment } from '../core/deployment.ts'
import type { Json, JsonObject } from '../core/json.ts'
import type { ResolveModel } from '../core/resolve.ts'
import type { Secret } from '../core/secret.ts'

/** A deployment that somebody describes, to see whether it would work. */
export interface TestRequest {
  readonly params: JsonObject
  readonly info: JsonObject
  readonly mode?: string
}

/** What is tested, or why nothing is. */
export type Tested =
  | {
      readonly kind: 'ready'
      readonly deployment: Deployment
      /** It uses the connection of a configured deployment, which leads to where that one's leads. */
      readonly isConfigured: boolean
      /** Those of the description. */
      readonly secrets: readonly Secret[]
    }
  | { readonly kind: 'refused'; readonly message: string }

/** What a description is completed by. */
export interface TestedInputs {
  readonly resolve: ResolveModel
  /** The configured deployment of this id, or else of this group or model. */
  readonly baseOf: (id: string | undefined, model: string | undefined) => Deployment | undefined
}

const REFERENCE = 'Environment variable references are not permitted in request parameters.'
const FILE = 'request.json'
/** Settings of our own that say nothing of where a request goes or who sends it. */
const HARMLESS: ReadonlySet<string> = new Set([
  'model',
  'mode',
  'rpm',
  'tpm',
  'weight',
  'order',
  'timeout',
  'stream_timeout',
  'request_timeout',
  'max_retries',
  'num_retries',
  'drop_params',
  'base_model',
  'tags',
])

/**
 * The deployment that a description means. One with a connection of its own, be it only a key, an address or another
 * provider, gets nothing of any configured one: a key never goes where its owner has not sent it. Nothing of the
 * environment and no file of this machine is read.
 */
export async function readTested(request: TestRequest, inputs: TestedInputs): Promise<Tested> {
  if (hasReference(request.params) || hasReference(request.info)) return refused(REFERENCE)
  const { model: written } = request.params
  const id = request.info['id']
  const model = typeof written === 'string' && written !== '' ? written : undefined
  const base = inputs.baseOf(typeof id === 'string' ? id : undefined, model)
  if (request.params['litellm_credential_name'] !== undefined)
    return refused(
      'litellm_credential_name: credentials of the config are not lent to a test. Give api_key, or leave this out to test a deployment as it is configured.',
    )
  const meant = base !== undefined && (model === undefined || model === base.group) ? base.model : model
  if (meant === undefined) return refused('litellm_params.model is missing: write `<provider>/<model>`.')
  const read = await readAlone({ ...request, params: { ...request.params, model: meant } }, inputs.resolve)
  if (read.kind === 'refused') return read
  const { deployment } = read
  if (typeof deployment.connection.sslVerify === 'string')
    return refused('ssl_verify: must be true or false here; a test reads no files.')
  const fromFile = fileSetting(deployment.connection)
  if (fromFile !== undefined) return refused(fromFile)
  const near = linkLocalSetting(deployment.connection)
  if (near !== undefined) return refused(`${near}: no model is served at a link-local address.`)
  const isConfigured =
    base !== undefined &&
    base.misconfigured === undefined &&
    base.provider === deployment.provider &&
    Object.keys(request.params).every(isHarmless)
  if (!isConfigured) return { ...read, deployment: withoutDeadline(deployment) }
  return { ...read, isConfigured, deployment: completed(deployment, base, request, meant === base.model) }
}

/** Reads it as a config with nothing around it. */
async function readAlone({ params, info, mode }: TestRequest, resolve: ResolveModel): Promise<Tested> {
  const model_info = { ...info, ...(mode !== undefined && { mode }) }
  // JSON is YAML.
  const text = JSON.stringify({
    model_list: [{ model_name: params['model'], litellm_params: params, model_info }],
  })
  const { file } = createSource(FILE, text)
  const readFile = (wanted: string): Promise<Uint8Array> =>
    wanted.endsWith(file)
      ? Promise.resolve(Buffer.from(text))
      : Promise.reject(new Error('no files are read'))
  const { config, problems } = await loadConfig({ path: file, readFile, env: {}, resolve })
  const deployment = config?.deployments[0]
  if (config === undefined || deployment === undefined) {
    const worst = problems.find(({ severity }) => severity === 'fatal')
    const place = worst?.path.replace(/^model_list\.0\.?/, '') ?? ''
    return refused(`${place === '' ? '' : `${place}: `}${worst?.message ?? 'this cannot be read'}`)
  }
  return { kind: 'ready', deployment, isConfigured: false, secrets: config.secrets }
}

/** The configured one, with what the description changes of it. */
function completed(
  asked: Deployment,
  base: Deployment,
  { mode, info }: TestRequest,
  isItsModel: boolean,
): Deployment {
  const { model, ...probe } = base.probe
  const isModeGiven = mode !== undefined || info['mode'] !== undefined
  return withoutDeadline({
    ...base,
    ...(!isItsModel && { model: asked.model, upstreamModel: asked.upstreamModel }),
    ...((isModeGiven || !isItsModel) && modeOf(asked)),
    bodyDefaults: { ...base.bodyDefaults, ...asked.bodyDefaults },
    // A stand-in could lead to another provider: only the configured one's own may.
    probe: {
      ...probe,
      ...(isItsModel && model !== undefined && { model }),
      params: { ...probe.params, ...asked.probe.params },
    },
  })
}

function modeOf({
  mode,
  modeSource,
  surfaceMode,
  unprobedMode,
  misconfigured,
}: Deployment): Partial<Deployment> {
  return {
    mode,
    modeSource,
    ...(surfaceMode !== undefined && { surfaceMode }),
    ...(unprobedMode !== undefined && { unprobedMode }),
    ...(misconfigured !== undefined && { misconfigured }),
  }
}

/** LiteLLM's: `health_check_timeout` does not count here. */
function withoutDeadline(deployment: Deployment): Deployment {
  const { timeoutMs: _, ...probe } = deployment.probe
  return { ...deployment, probe }
}

/** Only what surely says nothing of the connection: a name that nobody knows may be anything. */
function isHarmless(name: string): boolean {
  return HARMLESS.has(name) || (PARAMS.get(name) === undefined && paramKind(name).kind === 'request')
}

function hasReference(value: Json): boolean {
  if (typeof value === 'string') return value.startsWith('os.environ/')
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some((each) => each !== undefined && hasReference(each))
}

/** Which credential would be read from this machine, or asked of a service that it names, and is refused for that. */
function fileSetting({ azureAdToken, secrets = {} }: Connection): string | undefined {
  const webToken = secrets['aws_web_identity_token']?.reveal() ?? ''
  if (azureAdToken?.reveal().startsWith('oidc/') === true)
    return 'azure_ad_token: must be the token itself here; a test reads no files.'
  if (/^(\/|oidc\/)/.test(webToken))
    return 'aws_web_identity_token: must be the token itself here; a test reads no files.'
  const google = secrets['vertex_credentials'] ?? secrets['vertex_ai_credentials']
  const text = google?.reveal().trim()
  if (text === undefined || (text.startsWith('{') && !text.includes('credential_source'))) return undefined
  return 'vertex_credentials: must be the JSON of an account itself here; a test reads no files.'
}

/** The setting that leads there. */
function linkLocalSetting({ apiBase, settings = {}, secrets = {} }: Connection): string | undefined {
  const names = ['aws_bedrock_runtime_endpoint', 'aws_sts_endpoint']
  const google = secrets['vertex_credentials'] ?? secrets['vertex_ai_credentials']
  const tokenUrls = google?.reveal().match(/https?:[^"\s]+/g) ?? []
  if (isLinkLocal(apiBase)) return 'api_base'
  return (
    names.find((name) => isLinkLocal(settings[name] ?? secrets[name]?.reveal())) ??
    (tokenUrls.some(isLinkLocal) ? 'vertex_credentials' : undefined)
  )
}

/** Where clouds tell a machine its own credentials (RFC 3927, RFC 4291 §2.5.6). */
function isLinkLocal(address: string | undefined): boolean {
  if (address === undefined || !URL.canParse(address)) return false
  const { hostname } = new URL(address)
  return /^169\.254\.|^\[fe[89ab]|^\[::ffff:a9fe:|^metadata\.google\.internal\.?$/i.test(hostname)
}

function refused(message: string): Tested {
  return { kind: 'refused', message }
}
