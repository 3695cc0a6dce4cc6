import { jsonReply, type Reply } from '../reply.ts'
import { secretOfKey, signatureFlaw } from './aws-signature.ts'
import { faultIn } from './closed-body.ts'
import type { Native, NativeCall } from './native.ts'
import { formOf, isToken, strangeFields, tokenFor } from './tokens.ts'

/**
 * What hands out keys for AWS, as one host: its token service
 * (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html), the portal of single sign-ons
 * (https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html) and the service that
 * renews these (https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html). It refuses roles,
 * refresh tokens and web tokens that begin with `wrong`, and every sign-in token but its own.
 */
export const aws: Native = { id: 'aws', answer, error }

function answer(call: NativeCall): Reply {
  switch (`${call.method} ${call.path}`) {
    case 'POST /':
      return assumed(call)
    case 'GET /federation/credentials':
      return signedIn(call)
    case 'POST /token':
      return renewed(call)
    default:
      return refused(404, 'UnknownOperationException', 'The requested operation does not exist.')
  }
}

function error(status: number, message: string, headers: Readonly<Record<string, string>>): Reply {
  return refused(status, 'InternalServerException', message, headers)
}

function refused(status: number, code: string, message: string, headers = {}): Reply {
  return jsonReply(status, { message, __type: code }, { 'x-amzn-errortype': code, ...headers })
}

const LIFE_MS = 3_600_000
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  AssumeRole: ['ExternalId'],
  AssumeRoleWithWebIdentity: ['WebIdentityToken'],
}

function assumed(call: NativeCall): Reply {
  const [type = ''] = (call.headers['content-type'] ?? '').split(';')
  const form = formOf({ ...call, headers: { ...call.headers, 'content-type': type } })
  const action = form?.get('Action') ?? ''
  const more = ACTIONS[action]
  if (form === undefined || more === undefined)
    return denied(400, 'InvalidAction', `Could not find operation ${action}`)
  if (form.get('Version') !== '2011-06-15')
    return denied(
      400,
      'InvalidAction',
      `Could not find operation ${action} for version ${form.get('Version')}`,
    )
  const known = ['Action', 'Version', 'RoleArn', 'RoleSessionName', 'DurationSeconds', ...more]
  const [strange] = strangeFields(form, known)
  if (strange !== undefined) return denied(400, 'ValidationError', `unknown parameter ${strange}`)
  const [, role] = /^arn:aws:iam::\d{12}:role\/([\w+=,.@/-]+)$/.exec(form.get('RoleArn') ?? '') ?? []
  if (role === undefined) return denied(400, 'ValidationError', `${form.get('RoleArn')} is invalid`)
  if (!/^[\w+=,.@-]{2,64}$/.test(form.get('RoleSessionName') ?? ''))
    return denied(400, 'ValidationError', "Value at 'roleSessionName' failed to satisfy constraint")
  const flaw = action === 'AssumeRole' ? signatureFlaw(call, 'sts', secretOfKey) : webFlaw(form)
  if (flaw !== undefined) return denied(403, flaw.code, flaw.message)
  if (role.startsWith('wrong'))
    return denied(403, 'AccessDenied', `User is not authorized to perform: sts:${action}`)
  return xml(
    200,
    `<${action}Response><${action}Result><Credentials>${keysAsXml(role)}</Credentials></${action}Result></${action}Response>`,
  )
}

function webFlaw(form: URLSearchParams): { readonly code: string; readonly message: string } | undefined {
  const token = form.get('WebIdentityToken') ?? ''
  return token.split('.').length === 3 && !token.startsWith('wrong')
    ? undefined
    : { code: 'InvalidIdentityToken', message: 'The ID Token provided is not a valid JWT.' }
}

function keysAsXml(role: string): string {
  const id = idFor(role)
  const until = new Date(Date.now() + LIFE_MS).toISOString()
  return `<AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secretOfKey(id)}</SecretAccessKey><SessionToken>session-of-${id}</SessionToken><Expiration>${until}</Expiration>`
}

function idFor(role: string): string {
  return `ASIA${role.replaceAll(/\W/g, '').toUpperCase()}`
}

function denied(status: number, code: string, message: string): Reply {
  return xml(
    status,
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
  )
}

function xml(status: number, text: string): Reply {
  return { status, headers: { 'content-type': 'text/xml' }, chunks: [text] }
}

const SIGN_IN = new Set(['a-sign-in'])

function signedIn({ query, headers }: NativeCall): Reply {
  const unknown = [...query.keys()].find((name) => name !== 'role_name' && name !== 'account_id')
  const role = query.get('role_name') ?? ''
  if (unknown !== undefined || role === '' || !/^\d{12}$/.test(query.get('account_id') ?? ''))
    return refused(400, 'InvalidRequestException', 'role_name and account_id, and nothing else, are wanted')
  const token = headers['x-amz-sso_bearer_token']
  if (typeof token !== 'string' || !isToken(token, SIGN_IN))
    return refused(401, 'UnauthorizedException', 'Session token not found or invalid')
  if (role.startsWith('wrong')) return refused(403, 'ForbiddenException', 'No access')
  const id = idFor(role)
  return jsonReply(200, {
    roleCredentials: {
      accessKeyId: id,
      secretAccessKey: secretOfKey(id),
      sessionToken: `session-of-${id}`,
      expiration: Date.now() + LIFE_MS,
    },
  })
}

const RENEWAL = {
  required: { grantType: ['text'], clientId: ['text'], clientSecret: ['text'], refreshToken: ['text'] },
  optional: {},
} as const

function renewed({ json, headers }: NativeCall): Reply {
  const fault = faultIn(json, RENEWAL)
  if (headers['content-type'] !== 'application/json' || fault !== undefined)
    return jsonReply(400, {
      error: 'invalid_request',
      error_description: `Invalid request: ${fault?.name ?? ''}`,
    })
  if (json?.['grantType'] !== 'refresh_token')
    return jsonReply(400, { error: 'unsupported_grant_type', error_description: 'Unsupported grant type' })
  const { refreshToken } = json
  if (typeof refreshToken === 'string' && refreshToken.startsWith('wrong'))
    return jsonReply(400, { error: 'invalid_grant', error_description: 'Invalid refresh token provided' })
  return jsonReply(200, {
    accessToken: tokenFor('a-sign-in'),
    expiresIn: 3_600,
    tokenType: 'Bearer',
    refreshToken: 'the-next-refresh-token',
  })
}
