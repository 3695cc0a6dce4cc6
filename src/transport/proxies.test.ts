import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GatewayError } from '../core/failure.ts'
import { createProxyOf } from './proxies.ts'

const HTTPS = 'http://proxy.test:3128'

describe('the proxy of a destination', () => {
  for (const [name, env, to, expected] of [
    ['https goes by HTTPS_PROXY', { HTTPS_PROXY: HTTPS }, 'https://api.test', 'proxy.test:3128'],
    ['http does not', { HTTPS_PROXY: HTTPS }, 'http://api.test', 'none'],
    ['http goes by HTTP_PROXY', { HTTP_PROXY: 'proxy.test' }, 'http://api.test', 'proxy.test:80'],
    ['the lower case wins', { HTTPS_PROXY: HTTPS, https_proxy: 'other:1' }, 'https://api.test', 'other:1'],
    ['ALL_PROXY stands for both', { ALL_PROXY: HTTPS }, 'http://api.test', 'proxy.test:3128'],
    ['a proxy may be spoken to over TLS', { ALL_PROXY: 'https://p.test' }, 'http://api.test', 'p.test:443'],
    ['an empty variable is none', { HTTPS_PROXY: ' ' }, 'https://api.test', 'none'],
    ['localhost is never proxied', { ALL_PROXY: HTTPS }, 'http://localhost:8000', 'none'],
    ['nor is 127.0.0.1', { ALL_PROXY: HTTPS }, 'http://127.0.0.1:8000', 'none'],
    ['nor is ::1', { ALL_PROXY: HTTPS }, 'http://[::1]:8000', 'none'],
    [
      'unless it is asked for',
      { ALL_PROXY: HTTPS, NO_PROXY: '<-loopback>' },
      'http://localhost:1',
      'proxy.test:3128',
    ],
    ['a name is exempt', { ALL_PROXY: HTTPS, NO_PROXY: 'a.test, api.test' }, 'https://api.test', 'none'],
    ['and all below it', { ALL_PROXY: HTTPS, NO_PROXY: 'api.test' }, 'https://eu.API.test', 'none'],
    [
      'but nothing that ends alike',
      { ALL_PROXY: HTTPS, NO_PROXY: 'pi.test' },
      'https://api.test',
      'proxy.test:3128',
    ],
    ['a suffix is exempt', { ALL_PROXY: HTTPS, no_proxy: '.test' }, 'https://api.test', 'none'],
    ['a star and a suffix', { ALL_PROXY: HTTPS, no_proxy: '*.test' }, 'https://api.test', 'none'],
    ['a star is everything', { ALL_PROXY: HTTPS, no_proxy: '*' }, 'https://api.test', 'none'],
    [
      'a port must be the same',
      { ALL_PROXY: HTTPS, no_proxy: 'api.test:80' },
      'https://api.test',
      'proxy.test:3128',
    ],
    ['and exempts where it is', { ALL_PROXY: HTTPS, no_proxy: 'api.test:443' }, 'https://api.test', 'none'],
    ['a range is exempt', { ALL_PROXY: HTTPS, no_proxy: '10.0.0.0/8' }, 'http://10.1.2.3', 'none'],
    [
      'what is outside is not',
      { ALL_PROXY: HTTPS, no_proxy: '10.0.0.0/8' },
      'http://11.1.2.3',
      'proxy.test:3128',
    ],
    ['an IPv6 range', { ALL_PROXY: HTTPS, no_proxy: 'fd00::/8' }, 'http://[fd12::1]', 'none'],
    ['an IPv6 address', { ALL_PROXY: HTTPS, no_proxy: '2001:db8::1' }, 'http://[2001:db8::1]:8', 'none'],
  ] as const)
    test(name, () => {
      const { protocol, hostname, port } = new URL(to)
      const isSecure = protocol === 'https:'
      const host = hostname.replace(/^\[|\]$/g, '')
      const proxy = createProxyOf(env)({ isSecure, host, port: Number(port || (isSecure ? 443 : 80)) })
      assert.equal(proxy === undefined ? 'none' : `${proxy.host}:${proxy.port}`, expected)
    })

  test('credentials are a secret, percent-decoded', () => {
    const proxyOf = createProxyOf({ HTTPS_PROXY: 'http://me:p%40ss@proxy.test:3128' })
    const proxy = proxyOf({ isSecure: true, host: 'api.test', port: 443 })
    assert.equal(proxy?.authorization?.reveal(), `Basic ${Buffer.from('me:p@ss').toString('base64')}`)
    assert.doesNotMatch(JSON.stringify(proxy), /p@ss|bWU6/)
  })

  test('what is no HTTP proxy is said, without its words', () => {
    const proxyOf = createProxyOf({ HTTPS_PROXY: 'socks5://me:hidden@proxy.test:1080' })
    assert.throws(
      () => proxyOf({ isSecure: true, host: 'api.test', port: 443 }),
      (error) =>
        error instanceof GatewayError &&
        error.kind === 'misconfigured' &&
        error.message.includes('HTTPS_PROXY') &&
        !error.message.includes('hidden'),
    )
  })
})
