import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ask, at, AUTH, configOf, eventually, keysOf, listAt, SETTINGS, withStage } from './asking.ts'

const PAIR = [
  { group: 'a', base: 'ok/v1' },
  { group: 'llama3:8b', base: 'e401/v1', info: ', mode: chat' },
] as const
const BACKGROUND = `${SETTINGS}  background_health_checks: true\n`
const DRAFT = { ...AUTH, accept: 'application/health+json, application/json;q=0.5' }

describe('GET /health in other forms', () => {
  test('a reader that knows the answer is told so, until something happens', async () => {
    await withStage(configOf(PAIR, BACKGROUND), async ({ gateway }) => {
      const url = `${gateway.url}/health`
      const { etag, first } = await eventually(
        async () => {
          const answer = await ask(url, { headers: AUTH })
          return { etag: answer.headers.get('etag') ?? '', first: answer }
        },
        ({ first: { json } }) =>
          at(json, 'healthy_count') === 1 &&
          at(json, 'unhealthy_endpoints', 0, 'health_state') === 'MISCONFIGURED',
      )
      assert.match(etag, /^W\/"[\w.]+"$/)
      assert.equal(first.headers.get('cache-control'), 'private, max-age=1, must-revalidate')
      assert.equal(first.headers.get('vary'), 'accept')
      // A tag holds for ten seconds at most: one of two readings in a row falls into the same.
      const same = await eventually(
        async () => {
          const { headers } = await ask(url, { headers: AUTH })
          const tag = headers.get('etag') ?? ''
          return ask(url, { headers: { ...AUTH, 'if-none-match': `"other", ${tag}` } })
        },
        ({ status }) => status === 304,
      )
      assert.equal(same.text, '')
      assert.equal(same.headers.get('cache-control'), 'private, max-age=1, must-revalidate')
      const known = same.headers.get('etag') ?? ''
      await ask(`${gateway.url}/health/deployments/id-a/isolate`, { method: 'POST', headers: AUTH })
      const changed = await ask(url, { headers: { ...AUTH, 'if-none-match': known } })
      assert.equal(changed.status, 200)
      assert.notEqual(changed.headers.get('etag'), known)
      assert.equal(at(changed.json, 'unhealthy_count'), 2)
    })
  })

  test('a 503 is nobody else to keep', async () => {
    await withStage(configOf(PAIR), async ({ gateway }) => {
      const answer = await ask(`${gateway.url}/health?model=llama3:8b`, { headers: AUTH })
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.equal(answer.headers.get('etag'), null)
    })
  })

  test('as application/health+json: warn where some are well, fail with a 503 where nobody is', async () => {
    await withStage(configOf(PAIR), async ({ gateway }) => {
      const some = await ask(`${gateway.url}/health`, { headers: DRAFT })
      assert.equal(some.status, 200)
      assert.equal(some.headers.get('content-type'), 'application/health+json')
      assert.deepEqual(keysOf(some.json), ['status', 'version', 'releaseId', 'description', 'checks'])
      assert.equal(at(some.json, 'status'), 'warn')
      assert.equal(at(some.json, 'description'), '1 pass, 0 warn, 1 fail')
      assert.deepEqual(keysOf(at(some.json, 'checks')), ['a:health', 'llama3%3A8b:health'])
      const [good] = listAt(some.json, 'checks', 'a:health')
      assert.deepEqual(
        ['componentId', 'observedValue', 'status', 'output'].map((name) => at(good, name)),
        ['id-a', 'HEALTHY', 'pass', undefined],
      )
      const [bad] = listAt(some.json, 'checks', 'llama3%3A8b:health')
      assert.equal(at(bad, 'status'), 'fail')
      assert.match(String(at(bad, 'output')), /answered 401/)
      const none = await ask(`${gateway.url}/health?model_id=id-llama3:8b`, { headers: DRAFT })
      assert.deepEqual([none.status, at(none.json, 'status')], [503, 'fail'])
      assert.equal(none.headers.get('content-type'), 'application/health+json')
      const all = await ask(`${gateway.url}/health?model=a`, { headers: DRAFT })
      assert.deepEqual([all.status, at(all.json, 'status')], [200, 'pass'])
      const plain = await ask(`${gateway.url}/health`, { headers: { ...AUTH, accept: '*/*' } })
      assert.equal(plain.headers.get('content-type'), 'application/json')
      assert.equal((await ask(`${gateway.url}/health`, { headers: { accept: DRAFT.accept } })).status, 401)
    })
  })

  test('readiness of a group, for those who ask for it, without a key and without names', async () => {
    await withStage(configOf(PAIR), async ({ gateway }) => {
      const ready = (query: string) => ask(`${gateway.url}/readyz${query}`)
      assert.equal((await ready('?group=a')).status, 200)
      await ask(`${gateway.url}/health/deployments/id-a/isolate`, { method: 'POST', headers: AUTH })
      const out = await ready('?group=a')
      assert.deepEqual([out.status, out.json], [503, { status: 'no_deployment_eligible' }])
      assert.equal((await ask(`${gateway.url}/health/readiness?group=a`)).status, 503)
      assert.equal((await ready('')).status, 200)
      assert.equal((await ready('?group=llama3:8b')).status, 200)
      const unknown = await ready('?group=nope')
      assert.deepEqual([unknown.status, unknown.json], [503, { status: 'unknown_group' }])
      await ask(`${gateway.url}/health/deployments/id-a/restore`, { method: 'POST', headers: AUTH })
      assert.equal((await ready('?group=a')).status, 200)
    })
  })

  test('the list of models leaves out those that are out altogether, where it is asked to', async () => {
    const entries = [...PAIR, { group: 'busy', base: 'e429/v1' }, { group: 'new', base: 'ok/v1' }]
    await withStage(configOf(entries), async ({ gateway }) => {
      const names = async (query: string): Promise<readonly unknown[]> => {
        const { json } = await ask(`${gateway.url}/v1/models${query}`, { headers: AUTH })
        return listAt(json, 'data').map((each) => at(each, 'id'))
      }
      for (const id of ['id-a', 'id-busy', 'id-llama3:8b', 'id-llama3:8b', 'id-llama3:8b'])
        await ask(`${gateway.url}/health/deployments/${id}/probe?wait=true`, {
          method: 'POST',
          headers: AUTH,
        })
      await ask(`${gateway.url}/health/deployments/id-llama3:8b/isolate`, { method: 'POST', headers: AUTH })
      assert.deepEqual(await names(''), ['a', 'llama3:8b', 'busy', 'new'])
      assert.deepEqual(await names('?healthy_only=false'), ['a', 'llama3:8b', 'busy', 'new'])
      assert.deepEqual(await names('?healthy_only=true'), ['a', 'busy', 'new'])
      const one = (query: string) => ask(`${gateway.url}/v1/models/llama3:8b${query}`, { headers: AUTH })
      assert.equal((await one('')).status, 200)
      assert.equal((await one('?healthy_only=true')).status, 404)
      const odd = await ask(`${gateway.url}/v1/models?healthy_only=maybe`, { headers: AUTH })
      assert.equal(odd.status, 400)
      assert.match(odd.text, /healthy_only must be true or false/)
    })
  })
})
