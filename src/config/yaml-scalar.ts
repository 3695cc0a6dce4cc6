import type { ScalarNode, Source } from './node.ts'

/** A plain scalar that YAML 1.1 cannot read, such as the 13th month. */
export class BadScalar extends Error {}

// The implicit types of YAML 1.1 as PyYAML resolves them (yaml/resolver.py, 6.0.3). They differ from YAML 1.2:
// `yes` is a boolean, `010` is 8, `1e-6` (no dot) is a string, `12:30` is 750.
const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/
const TRUE = /^(?:yes|true|on)$/i
const NULL = /^(?:~|null|Null|NULL|)$/
const INT =
  /^(?:[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const TIMESTAMP =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(Z|([-+])(\d\d?)(?::(\d\d))?))?)?$/
/** A date alone must have two digits each; with a time, one is enough. */
const DATE_ALONE = /^\d{4}-\d\d-\d\d$/

/**
 * Reads a plain scalar.
 * @throws BadScalar where PyYAML refuses the text: an impossible date, the `=` of YAML 1.1
 */
export function readPlain(text: string, source: Source, at: number): ScalarNode {
  const first = text.charCodeAt(0)
  // Nearly every scalar starts with a letter that no type starts with.
  if (!mayBeTyped(first)) return { kind: 'text', value: text, source, at }
  if (NULL.test(text)) return { kind: 'null', source, at }
  if (BOOL.test(text)) return { kind: 'bool', value: TRUE.test(text), source, at }
  if (INT.test(text)) return readInt(text, source, at)
  if (FLOAT.test(text)) return { kind: 'float', value: floatValue(text), source, at }
  if (isTimestamp(text)) return readTimestamp(text, source, at)
  if (text === '=') throw new BadScalar('a lone "=" has no meaning here; quote it')
  return { kind: 'text', value: text, source, at }
}

/** The tag is not repeated: a password that starts with `!` is one. */
export const UNREADABLE_TAG =
  '"!" starts a tag, and this one cannot be read here; quote the value if it is text'

/**
 * Reads a scalar with an explicit `!!type`.
 * @throws BadScalar for tags we do not know and texts that are not of that type
 */
export function readTagged(tag: string, text: string, source: Source, at: number): ScalarNode {
  const type = tag.replace(/^!<tag:yaml\.org,2002:(\w+)>$/, '$1').replace(/^!!/, '')
  if (tag === '!' || type === 'str') return { kind: 'text', value: text, source, at }
  if (type === 'null') return { kind: 'null', source, at }
  if (type === 'bool' && BOOL.test(text)) return { kind: 'bool', value: TRUE.test(text), source, at }
  if (type === 'int' && INT.test(text)) return readInt(text, source, at)
  if (type === 'float' && (FLOAT.test(text) || INT.test(text)))
    return { kind: 'float', value: floatValue(text), source, at }
  if (type === 'timestamp' && isTimestamp(text)) return readTimestamp(text, source, at)
  throw new BadScalar(UNREADABLE_TAG)
}

/** Digits, signs, dots, `~`, `=`, and the first letters of the booleans and null; NaN is the empty scalar. */
function mayBeTyped(first: number): boolean {
  if (first >= 48 && first <= 57) return true
  return Number.isNaN(first) || '-+.~=yYnNtTfFoO'.includes(String.fromCharCode(first))
}

function isTimestamp(text: string): boolean {
  const match = TIMESTAMP.exec(text)
  return match !== null && (match[4] !== undefined || DATE_ALONE.test(text))
}

function readInt(text: string, source: Source, at: number): ScalarNode {
  const plain = text.replaceAll('_', '')
  const negative = plain.startsWith('-')
  const digits = plain.replace(/^[-+]/, '')
  if (digits.length <= 15 && /^(?:0|[1-9]\d*)$/.test(digits)) {
    return { kind: 'int', value: negative ? 0 - Number(digits) : Number(digits), source, at }
  }
  const exact = negative ? -magnitude(digits) : magnitude(digits)
  const value = Number(exact)
  if (Number.isSafeInteger(value)) return { kind: 'int', value, source, at }
  return { kind: 'int', value, digits: exact.toString(), source, at }
}

function magnitude(digits: string): bigint {
  if (digits.startsWith('0b') || digits.startsWith('0x')) {
    if (digits.length === 2) throw new BadScalar('a number without digits; quote it')
    return BigInt(digits)
  }
  if (digits.includes(':')) return digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n)
  return digits.length > 1 && digits.startsWith('0') ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits)
}

function floatValue(text: string): number {
  const plain = text.replaceAll('_', '').toLowerCase()
  const sign = plain.startsWith('-') ? -1 : 1
  const digits = plain.replace(/^[-+]/, '')
  if (digits === '.inf') return sign * Number.POSITIVE_INFINITY
  if (digits === '.nan') return Number.NaN
  if (digits.includes(':')) return sign * digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
  return sign * Number(digits)
}

function readTimestamp(text: string, source: Source, at: number): ScalarNode {
  const [
    ,
    year = '',
    month = '',
    day = '',
    hour,
    minute = '',
    second = '',
    fraction = '',
    zone,
    sign,
    zoneHour = '',
    zoneMinute = '0',
  ] = TIMESTAMP.exec(text) ?? []
  const date = new Date(Date.UTC(2000, Number(month) - 1, Number(day)))
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const time = [hour ?? '0', minute, second].map(Number)
  const isReal =
    date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && Number(year) > 0
  const isClock = (time[0] ?? 0) < 24 && (time[1] ?? 0) < 60 && (time[2] ?? 0) < 60
  if (!isReal || !isClock) throw new BadScalar(`"${text}" looks like a date but is none; quote it`)
  const day10 = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const dateCode = [year, month, day].map(Number).join(', ')
  if (hour === undefined) {
    return { kind: 'date', value: day10, printed: day10, code: `datetime.date(${dateCode})`, source, at }
  }
  const micros = Number(fraction.slice(0, 6).padEnd(6, '0'))
  const offset = zone === undefined ? undefined : zoneOffset(zone, sign, zoneHour, zoneMinute)
  const clock = time.map((part) => String(part).padStart(2, '0')).join(':')
  const tail = (micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`) + (offset?.text ?? '')
  const parts = [
    dateCode,
    ...clockCode(time, micros),
    ...(offset === undefined ? [] : [`tzinfo=${offset.code}`]),
  ]
  const code = `datetime.datetime(${parts.join(', ')})`
  return {
    kind: 'date',
    value: `${day10}T${clock}${tail}`,
    printed: `${day10} ${clock}${tail}`,
    code,
    source,
    at,
  }
}

/** Python's repr leaves trailing zero seconds and microseconds out. */
function clockCode(time: readonly number[], micros: number): readonly string[] {
  const [hour = 0, minute = 0, second = 0] = time
  if (micros !== 0) return [hour, minute, second, micros].map(String)
  return (second === 0 ? [hour, minute] : [hour, minute, second]).map(String)
}

function zoneOffset(
  zone: string,
  sign: string | undefined,
  hours: string,
  minutes: string,
): { text: string; code: string } {
  const seconds = (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60)
  if (zone === 'Z' || seconds === 0) return { text: '+00:00', code: 'datetime.timezone.utc' }
  const text = `${sign ?? '+'}${hours.padStart(2, '0')}:${minutes.padStart(2, '0')}`
  const delta = seconds < 0 ? `days=-1, seconds=${86_400 + seconds}` : `seconds=${seconds}`
  return { text, code: `datetime.timezone(datetime.timedelta(${delta}))` }
}
