import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { describe, test } from 'node:test'
import { createRedact, Secret } from './secret.ts'

const redact = (secrets: readonly string[], text: string): string =>
  createRedact(secrets.map((value) => new Secret(value)))(text)

const KEY = 'sk-a+b/c"d\\e&f <g>'

test('a secret does not show itself', () => {
  const secret = new Secret('sk-hidden')
  assert.equal(
    `${secret.toString()} ${JSON.stringify({ secret })} ${inspect(secret)}`,
    '[secret] {"secret":"[secret]"} [secret]',
  )
  assert.equal(secret.reveal(), 'sk-hidden')
})

describe('an echo of a secret is hidden', () => {
  const echoes: Readonly<Record<string, string>> = {
    'as it is': KEY,
    'URL-encoded': encodeURIComponent(KEY),
    'URL-encoded in lower case': encodeURIComponent(KEY).replaceAll(/%../g, (code) => code.toLowerCase()),
    'URL-encoded twice': encodeURIComponent(encodeURIComponent(KEY)),
    'in a form': new URLSearchParams({ '': KEY }).toString().slice(1),
    'in JSON': JSON.stringify(KEY).slice(1, -1),
    'in JSON inside of JSON': JSON.stringify(JSON.stringify(KEY).slice(1, -1)).slice(1, -1),
    'in JSON with escaped slashes': JSON.stringify(KEY)
      .slice(1, -1)
      .replaceAll('/', String.raw`\/`),
    'in JSON with escaped signs': KEY.replaceAll(
      /[^a-z]/g,
      (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`,
    ),
    'in HTML': 'sk-a+b/c&quot;d\\e&amp;f &lt;g&gt;',
    'in HTML by numbers': 'sk-a+b/c&#34;d\\e&#x26;f &#60;g&#62;',
  }
  for (const [name, echo] of Object.entries(echoes))
    test(name, () => assert.equal(redact([KEY], `key ${echo}, sent`), 'key [secret], sent'))

  for (const before of ['', 'x', 'xy', 'Bearer ', 'user:'])
    for (const encoding of ['base64', 'base64url'] as const)
      test(`in ${encoding} after "${before}"`, () => {
        const text = redact([KEY], `(${Buffer.from(`${before}${KEY}`).toString(encoding)})`)
        assert.match(text, /^\([\w+/=-]{0,12}\[secret\][\w+/=-]{0,4}\)$/)
        const left = Buffer.from(text.replace('[secret]', ''), encoding).toString('latin1')
        assert.ok(!left.includes('sk-'), left)
      })

  test('where it holds letters beyond ASCII', () =>
    assert.equal(redact(['pässwörd'], 'é p%C3%A4ssw%c3%b6rd pässwörd é'), 'é [secret] [secret] é'))
  test('without the scheme it was kept with', () => {
    assert.equal(redact(['Bearer sk-12345678'], 'got sk-12345678'), 'got [secret]')
    const basic = `Basic ${Buffer.from('user:pass-word').toString('base64')}`
    assert.equal(
      redact([basic], 'dXNlcjpwYXNzLXdvcmQ= user:pass-word pass-word'),
      '[secret] [secret] [secret]',
    )
  })
  test('where it is the whole text', () => assert.equal(redact([KEY], KEY), '[secret]'))
  test('each time it stands there', () =>
    assert.equal(redact(['abcdef'], 'abcdef-abcdef'), '[secret]-[secret]'))
})

describe('what is hidden leaves nothing of a secret behind', () => {
  test('one secret inside another', () =>
    assert.equal(redact(['secret-one', 'my-secret-one-and-more'], '<my-secret-one-and-more>'), '<[secret]>'))
  test('one secret at the end of another', () =>
    assert.equal(redact(['abcdefgh', 'efghijklmn'], 'abcdefghijklmn'), '[secret]'))
  test('a JSON text stays JSON', () => {
    const text = redact([KEY], JSON.stringify({ a: `${KEY}"`, b: [`\\${KEY}\\`] }))
    assert.doesNotThrow(() => JSON.parse(text))
    assert.ok(!text.includes('sk-'))
  })
})

describe('everything else stays as it is', () => {
  const texts = ['', 'short', 'a %2B b \\n &amp; c+d', 'sk-a+b', 'größer – 100 %', '{"a":"\\"b\\""}']
  for (const text of texts)
    test(JSON.stringify(text), () => assert.equal(redact([KEY, 'other-secret'], text), text))
  test('secrets too short to be any', () => assert.equal(redact(['none', 'fake'], 'none fake'), 'none fake'))
  test('without secrets', () => assert.equal(redact([], 'sk-1234567'), 'sk-1234567'))
  test('what stands around a hidden one', () =>
    assert.equal(redact(['abcdef'], '100%25 \\"abcdef\\" é+&lt;'), '100%25 \\"[secret]\\" é+&lt;'))
})

test('ten thousand secrets cost a text no more than its own length', () => {
  const values = Array.from({ length: 10_000 }, (_, at) => `sk-proj-${String(at).padStart(8, '0')}`)
  const clean = createRedact(values.map((value) => new Secret(value)))
  assert.equal(clean('warm'), 'warm')
  const text = `${'the quick sk-proj- fox jumps over the lazy dog; '.repeat(2000)}${values[9999]}`
  const before = process.cpuUsage()
  assert.ok(clean(text).endsWith('dog; [secret]'))
  const { user } = process.cpuUsage(before)
  assert.ok(user < 500_000, `${user} µs`)
})
