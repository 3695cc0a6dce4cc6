import { GatewayError } from '../../core/failure.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import type { Redact } from '../../core/secret.ts'
import type { WireRequest, WireResponse } from '../../transport/wire.ts'
import { bodyText, errorIn } from '../error-facts.ts'
import type { AwsIdentity } from './aws-settings.ts'
import type { AuthGround } from './ground.ts'
import { fromEnv } from './key.ts'
import { createSigner, encoded3986, type AwsKeys } from './sigv4.ts'
import { notReached } from './token-request.ts'

/** Keys, and until when they hold (wall time, milliseconds); absent: for good. */
export interface TimedKeys extends AwsKeys {
  readonly expiresAt?: number
}

/** Longest wait for a token service, milliseconds. */
const STS_TIMEOUT_MS = 10_000
/** Longest wait for a neighbour on the same machine, milliseconds: where there is none, nobody should wait for it. */
const NEIGHBOUR_TIMEOUT_MS = 2_000
const MAX_ANSWER_BYTES = 64 * 1024
/** What a role is assumed for, seconds. */
const ROLE_SECONDS = '3600'

/** A role to be assumed. */
export interface Role {
  readonly arn: string
  readonly session?: string | undefined
  readonly externalId?: string | undefined
}

/** `AssumeRole` (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html), signed with other keys. */
export async function assumeRole(
  role: Role,
  keys: AwsKeys,
  who: AwsIdentity,
  ground: AuthGround,
): Promise<TimedKeys> {
  const wire = stsRequest(who, {
    Action: 'AssumeRole',
    ...roleFields(role),
    ...(role.externalId !== undefined && { ExternalId: role.externalId }),
  })
  const headers = createSigner({ region: who.region, service: 'sts' })(wire, keys, ground.now())
  const signed = { ...wire, headers: { ...wire.headers, ...headers } }
  return keysInXml(await asked(signed, `assuming the role ${role.arn}`, STS_TIMEOUT_MS, ground), role)
}

/** `AssumeRoleWithWebIdentity` (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html) */
export async function assumeByToken(
  role: Role,
  token: string,
  who: AwsIdentity,
  ground: AuthGround,
): Promise<TimedKeys> {
  const fields = { Action: 'AssumeRoleWithWebIdentity', ...roleFields(role), WebIdentityToken: token }
  const what = `assuming the role ${role.arn} by a token`
  return keysInXml(await asked(stsRequest(who, fields), what, STS_TIMEOUT_MS, ground), role)
}

function roleFields({ arn, session = 'pulsegate' }: Role): Readonly<Record<string, string>> {
  return { RoleArn: arn, RoleSessionName: session, DurationSeconds: ROLE_SECONDS }
}

function stsRequest(who: AwsIdentity, fields: Readonly<Record<string, string>>): WireRequest {
  const written = who.setting('aws_sts_endpoint') ?? fromEnv(who.env, ['AWS_ENDPOINT_URL_STS'])
  const base = written ?? `https://sts.${who.region}.${dnsSuffix(who.region)}`
  const form = Object.entries({ ...fields, Version: '2011-06-15' })
  return {
    method: 'POST',
    url: `${base.replace(/\/+$/, '')}/`,
    headers: { accept: 'text/xml', 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
    body: form.map(([name, value]) => `${name}=${encoded3986(value)}`).join('&'),
  }
}

/** The domain under which a region's services are served (https://docs.aws.amazon.com/general/latest/gr/rande.html). */
export function dnsSuffix(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}

function keysInXml(response: WireResponse, role: Role): TimedKeys {
  const text = bodyText(response)
  const member = (name: string): string | undefined =>
    new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1]
  return keysIn(
    {
      AccessKeyId: member('AccessKeyId'),
      SecretAccessKey: member('SecretAccessKey'),
      Token: member('SessionToken'),
      Expiration: member('Expiration'),
    },
    `AWS answered ${response.status} without keys for the role ${role.arn}`,
  )
}

/** The credentials of an ECS task or EKS pod (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html). */
export async function containerKeys(
  url: string,
  authorization: string | undefined,
  ground: AuthGround,
): Promise<TimedKeys> {
  const headers = {
    accept: 'application/json',
    ...(authorization !== undefined && { authorization }),
  }
  const what = "asking the container's credential service"
  const response = await asked({ method: 'GET', url, headers }, what, NEIGHBOUR_TIMEOUT_MS, ground)
  return keysIn(objectIn(response), `${what} brought no keys`)
}

/** The credentials of an EC2 instance, by version 2 of its metadata service (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html). */
export async function instanceKeys(base: string, ground: AuthGround): Promise<TimedKeys> {
  const what = "asking the instance's metadata service"
  const ask = (method: 'GET' | 'PUT', path: string, headers: Readonly<Record<string, string>>) =>
    asked({ method, url: `${base}/latest/${path}`, headers }, what, NEIGHBOUR_TIMEOUT_MS, ground)
  const token = bodyText(await ask('PUT', 'api/token', { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' }))
  const headers = { 'x-aws-ec2-metadata-token': token.trim() }
  const path = 'meta-data/iam/security-credentials/'
  const [role = ''] = bodyText(await ask('GET', path, headers))
    .trim()
    .split('\n')
  const response = await ask('GET', path + encodeURIComponent(role), headers)
  return keysIn(objectIn(response), `${what} brought no keys`)
}

function objectIn(response: WireResponse): JsonObject {
  const value = parseJson(bodyText(response))
  return isJsonObject(value) ? value : {}
}

/** Keys under the names that containers, instances and programs give them. @throws GatewayError wrong_shape with these words */
export function keysIn(found: JsonObject, otherwise: string): TimedKeys {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = found
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string')
    throw new GatewayError('wrong_shape', `no AWS credentials: ${otherwise}`)
  const expiresAt = typeof Expiration === 'string' ? Date.parse(Expiration) : Number.NaN
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof Token === 'string' && { sessionToken: Token }),
    ...(!Number.isNaN(expiresAt) && { expiresAt }),
  }
}

/** How a question is spoken of. */
interface AskedFor {
  /** Hides what the question holds. */
  readonly redact?: Redact
  /** What some statuses mean here. */
  readonly refusal?: (status: number) => GatewayError | undefined
}

/** A good answer. @throws GatewayError that says what was tried */
export async function asked(
  wire: WireRequest,
  what: string,
  timeoutMs: number,
  { transport }: AuthGround,
  { redact = (text) => text, refusal }: AskedFor = {},
): Promise<WireResponse> {
  const response = await transport
    .send(wire, { timeoutMs, maxBytes: MAX_ANSWER_BYTES })
    .catch((error: unknown): never => {
      throw notReached(`no AWS credentials: ${what}`, error, redact)
    })
  if (response.status >= 200 && response.status < 300) return response
  const { status } = response
  const special = refusal?.(status)
  if (special !== undefined) throw special
  const kind = status === 429 ? 'rate_limited' : status >= 500 ? 'server_error' : 'auth'
  throw new GatewayError(
    kind,
    `no AWS credentials: ${what} was answered ${status}${redact(reasonIn(response))}`,
  )
}

/** STS says `<Code>` and `<Message>`; the others speak JSON, or not at all. */
function reasonIn(response: WireResponse): string {
  const text = bodyText(response)
  const [, code] = /<Code>([^<]+)<\/Code>/.exec(text) ?? []
  const [, message = ''] = /<Message>([^<]+)<\/Message>/.exec(text) ?? []
  if (code !== undefined) return ` (${code}): ${message}`
  const facts = errorIn(parseJson(text))
  return facts === undefined ? '' : `: ${facts.text}`
}
