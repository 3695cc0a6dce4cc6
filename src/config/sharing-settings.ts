import type { MeetingPlace } from '../core/meeting-place.ts'
import type { Secret } from '../core/secret.ts'
import type { Report } from './check.ts'
import type { Environment } from './config.ts'
import { booleanOf, numberOf, plainText } from './connection.ts'
import { child, type MapNode, type YamlNode } from './node.ts'
import { problemAt } from './problem.ts'
import { keepUrlPassword, type SecretBag } from './secrets.ts'

/** What is written of a Redis, by LiteLLM's names. */
type Written = ReadonlyMap<Name, string>

const NAMES = ['url', 'host', 'port', 'username', 'password', 'db', 'ssl', 'namespace'] as const
type Name = (typeof NAMES)[number]

const DEFAULT_PORT = 6379
const DEFAULT_NAMESPACE = 'pulsegate:health'
/** Ways to run Redis that sharing cannot use. */
const UNSUPPORTED = ['startup_nodes', 'redis_startup_nodes', 'sentinel_nodes', 'service_name'] as const

/**
 * Reads where replicas share checks; undefined: they do not. `coordination_redis` comes before a cache's Redis, that before
 * `REDIS_*`, and any Redis before the database.
 */
export function readSharing(
  root: MapNode,
  env: Environment,
  databaseUrl: Secret | undefined,
  bag: SecretBag,
): MeetingPlace | undefined {
  if (!isAsked(root)) return undefined
  const written = redisOf(root, env)
  const address = written && addressOf(written, bag)
  if (address !== undefined) return address
  return databaseUrl === undefined ? { kind: 'missing' } : { kind: 'postgres', url: databaseUrl }
}

/** Complains of a Redis that cannot be used, and of sharing with nobody. */
export function checkSharing(root: MapNode, env: Environment, report: Report): void {
  if (!isAsked(root)) return
  const general = child(root, 'general_settings')
  const own = child(general, 'coordination_redis')
  if (own !== undefined) checkRedis(own, 'general_settings.coordination_redis', report)
  const hasDatabase =
    child(general, 'database_url') ?? child(general, 'db_url') ?? (env['DATABASE_URL'] || undefined)
  const flag = child(general, 'use_shared_health_check')
  if (flag === undefined || redisOf(root, env) !== undefined || hasDatabase !== undefined) return
  const message =
    'there is no Redis and no database to share checks through, so this gateway checks by itself; write coordination_redis: { host: … }'
  report(problemAt('warning', flag, 'general_settings.use_shared_health_check', message))
}

function checkRedis(node: YamlNode, path: string, report: Report): void {
  for (const name of UNSUPPORTED) {
    const value = child(node, name)
    const message = 'is not supported: checks are shared through one Redis, named by host and port, or by url'
    if (value !== undefined) report(problemAt('fatal', value, `${path}.${name}`, message))
  }
  const [url, host, port, db] = ['url', 'host', 'port', 'db'].map((name) => child(node, name))
  if (url === undefined && host === undefined)
    report(problemAt('fatal', node, path, 'needs a host, or a url such as redis://host:6379'))
  if (url !== undefined && parsedUrl(plainText(url) ?? '') === undefined)
    report(problemAt('fatal', url, `${path}.url`, 'must be an address such as redis://host:6379'))
  const portNumber = numberOf(port)
  if (port !== undefined && !(portNumber !== undefined && isPort(portNumber)))
    report(problemAt('fatal', port, `${path}.port`, 'must be a whole number from 1 to 65535'))
  const dbNumber = numberOf(db)
  if (db !== undefined && !(dbNumber !== undefined && Number.isInteger(dbNumber) && dbNumber >= 0))
    report(problemAt('fatal', db, `${path}.db`, 'must be a whole number, 0 or more'))
}

function isAsked(root: MapNode): boolean {
  return booleanOf(child(child(root, 'general_settings'), 'use_shared_health_check')) === true
}

/** What the first place says that names a Redis. */
function redisOf(root: MapNode, env: Environment): Written | undefined {
  const own = child(child(root, 'general_settings'), 'coordination_redis')
  const cache = child(child(root, 'litellm_settings'), 'cache_params')
  const type = plainText(child(cache, 'type')) ?? 'redis'
  const places = [own, type === 'redis' ? cache : undefined].map(writtenIn)
  const variables = new Map(NAMES.flatMap((name) => writtenAs(name, variablesOf(env)[name])))
  return [...places, variables].find((written) => written.has('url') || written.has('host'))
}

function variablesOf(env: Environment): Readonly<Record<Name, string | undefined>> {
  return {
    url: env['REDIS_URL'],
    host: env['REDIS_HOST'],
    port: env['REDIS_PORT'],
    username: env['REDIS_USERNAME'],
    password: env['REDIS_PASSWORD'],
    db: env['REDIS_DB'],
    ssl: env['REDIS_SSL'],
    namespace: env['REDIS_NAMESPACE'],
  }
}

/** Nothing counts as not written. */
function writtenAs(name: Name, value: string | undefined): readonly (readonly [Name, string])[] {
  const text = value?.trim() ?? ''
  return text === '' ? [] : [[name, text]]
}

function writtenIn(node: YamlNode | undefined): Written {
  return new Map(NAMES.flatMap((name) => writtenAs(name, plainText(child(node, name)))))
}

function addressOf(written: Written, bag: SecretBag): MeetingPlace | undefined {
  const text = written.get('url')
  const url = text === undefined ? undefined : parsedUrl(text)
  if (text !== undefined) keepUrlPassword(text, bag)
  const host = written.get('host') ?? url?.hostname
  if (host === undefined || host === '') return undefined
  const port = Number(written.get('port') ?? url?.port ?? DEFAULT_PORT) || DEFAULT_PORT
  const username = written.get('username') ?? decoded(url?.username)
  const password = written.get('password') ?? decoded(url?.password)
  const isTls = /^(?:true|yes|on|1)$/i.test(written.get('ssl') ?? '') || url?.protocol === 'rediss:'
  return {
    kind: 'redis',
    host: host.replace(/^\[(.*)\]$/, '$1'),
    port,
    ...(username && { username }),
    ...(password && { password: bag.keep(password) }),
    db: Number(written.get('db') ?? url?.pathname.slice(1)) || 0,
    isTls,
    namespace: `${written.get('namespace') ?? DEFAULT_NAMESPACE}:`,
  }
}

function parsedUrl(text: string): URL | undefined {
  if (!/^rediss?:\/\//i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.hostname === '' ? undefined : url
}

function decoded(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign: as it is written.
    return text
  }
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535
}
