import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { test } from 'node:test'
import { Sha256 } from '@aws-crypto/sha256-js'
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime'
import { SignatureV4 } from '@smithy/signature-v4'
import {
  array,
  assert as assertProperty,
  asyncProperty,
  constantFrom,
  dictionary,
  option,
  record,
  string,
  stringMatching,
  uint8Array,
} from 'fast-check'
import { plainHttp } from '../../fake-provider/natives/plain-http.fixture.ts'
import { createSigner, encoded3986, signatureOf } from './sigv4.ts'

const PLACE = { region: 'us-east-1', service: 'bedrock' }
const AT = Date.UTC(2026, 10, 23, 1, 2, 3)
const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

const VALUE = stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/)
const REQUEST = record({
  method: constantFrom('GET', 'POST'),
  segments: array(string({ unit: 'grapheme', minLength: 1, maxLength: 12 }), { maxLength: 5 }),
  query: dictionary(
    string({ minLength: 1, maxLength: 6 }),
    array(string({ maxLength: 8 }), { minLength: 1, maxLength: 3 }),
    {
      maxKeys: 4,
      noNullPrototype: true,
    },
  ),
  headers: dictionary(stringMatching(/^x-amzn?-[a-z]{1,10}$/), VALUE, { maxKeys: 3, noNullPrototype: true }),
  body: option(uint8Array({ maxLength: 200 }), { nil: undefined }),
  sessionToken: option(VALUE, { nil: undefined }),
})

/** What AWS's own signer says of the same request. */
async function reference(
  request: {
    readonly method: string
    readonly url: string
    readonly headers: Record<string, string>
    readonly body?: Uint8Array
  },
  keys: typeof KEYS & { readonly sessionToken?: string },
): Promise<string | undefined> {
  const url = new URL(request.url)
  const query: Record<string, string[]> = {}
  for (const name of new Set(url.searchParams.keys())) query[name] = url.searchParams.getAll(name)
  const signer = new SignatureV4({ ...PLACE, credentials: keys, sha256: Sha256, applyChecksum: false })
  const signed = await signer.sign(
    {
      method: request.method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query,
      headers: { ...request.headers, host: url.host },
      body: request.body,
    },
    // It leaves this one out; we are the ones that would send it.
    { signingDate: new Date(AT), signableHeaders: new Set(['x-amzn-trace-id']) },
  )
  return signed.headers['authorization']
}

test("requests are signed as AWS's own signer signs them", async () => {
  const sign = createSigner(PLACE)
  await assertProperty(
    asyncProperty(REQUEST, async ({ method, segments, query, headers, body, sessionToken }) => {
      const path = segments.filter((one) => one !== '.' && one !== '..').map(encoded3986)
      const url = new URL(`https://bedrock-runtime.us-east-1.amazonaws.com:8443/${path.join('/')}`)
      for (const [name, values] of Object.entries(query))
        if (name !== '__proto__') for (const value of values) url.searchParams.append(name, value)
      const request = {
        method,
        url: url.href,
        headers: { 'content-type': 'application/json', accept: 'text/plain', ...headers },
        ...(body !== undefined && { body }),
      }
      const keys = { ...KEYS, ...(sessionToken !== undefined && { sessionToken }) }
      const { accept: _, ...signable } = request.headers
      assert.equal(
        sign(request, keys, AT)['authorization'],
        await reference({ ...request, headers: signable }, keys),
      )
    }),
  )
})

test('another day, and other keys, have another signature', () => {
  const sign = createSigner(PLACE)
  const request = { method: 'POST', url: 'https://a.test/', headers: {}, body: '{}' }
  const other = { ...KEYS, secretAccessKey: 'another' }
  for (const [keys, at] of [
    [KEYS, AT],
    [KEYS, AT + 86_400_000],
    [other, AT + 86_400_000],
    [KEYS, AT],
  ] as const)
    assert.deepEqual(sign(request, keys, at), createSigner(PLACE)(request, keys, at))
})

test('a colon in an id is %3A on the wire and %253A in what is signed', async () => {
  const request = {
    method: 'POST',
    url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-sonnet-20240229-v1%3A0/converse',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from('{}'),
  }
  const { authorization } = createSigner(PLACE)(request, KEYS, AT)
  assert.equal(authorization, await reference(request, KEYS))
  assert.match(
    authorization ?? '',
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/20261123\/us-east-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=[0-9a-f]{64}$/,
  )
})

test("the SDK's own request, as it arrives at a server, has the signature that we make of it", async () => {
  let arrived: { url: string; headers: IncomingHttpHeaders; body: Buffer } | undefined
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      arrived = { url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks) }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const endpoint = `http://127.0.0.1:${address.port}`
  const credentials = { ...KEYS, sessionToken: 'a session+token/=' }
  const client = new BedrockRuntimeClient({
    endpoint,
    region: 'eu-central-1',
    credentials,
    requestHandler: plainHttp(),
  })
  try {
    const messages = [{ role: 'user' as const, content: [{ text: 'ping' }] }]
    for (const modelId of [
      'anthropic.claude-3-sonnet-20240229-v1:0',
      'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc',
    ]) {
      await client.send(new ConverseCommand({ modelId, messages }))
      assert.ok(arrived !== undefined)
      const { url, headers, body } = arrived
      const [, scope = '', names = '', signature] =
        /Credential=[^/]+\/(\S+), SignedHeaders=(\S+), Signature=(\w+)$/.exec(headers.authorization ?? '') ??
        []
      const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
      const signable = { method: 'POST', url: endpoint + url, headers: flat, body }
      assert.equal(
        signatureOf(signable, names.split(';'), credentials, scope.split('/'), flat['x-amz-date'] ?? ''),
        signature,
        modelId,
      )
    }
  } finally {
    client.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})
