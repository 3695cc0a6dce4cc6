import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parse } from 'junit2json'
import { junitText, type TestCase } from './junit.ts'

const AT = Date.parse('2026-11-27T00:41:02.345Z')
const CASES: readonly TestCase[] = [
  { group: 'gpt-4o', name: 'gpt-4o 23acfd4ee836', outcome: 'passed', ms: 412, reason: '' },
  {
    group: 'a"b',
    name: '<sick> & \u001B[31mred\u0000 \uD800 \u{1F600}',
    outcome: 'failed',
    ms: 3001,
    reason: 'timeout (408): the upstream is "slow"',
    detail: 'line 1\nline 2 ]]> \u0007',
  },
  { group: 'pics', name: 'pics', outcome: 'skipped', reason: 'checks_disabled: it is not probed' },
]

describe('JUnit', () => {
  test('a third party reads what we write', async () => {
    const read = await parse(junitText(CASES, AT))
    assert.ok(read !== undefined && read !== null && 'testsuite' in read)
    assert.deepEqual([read.name, read.tests, read.failures, read.errors], ['pulsegate', 3, 1, 0])
    const [suite] = read.testsuite ?? []
    assert.deepEqual(
      [suite?.name, suite?.tests, suite?.failures, suite?.skipped, suite?.time, suite?.timestamp],
      ['health', 3, 1, 1, 3.413, '2026-11-27T00:41:02'],
    )
    const [good, bad, skipped] = suite?.testcase ?? []
    assert.deepEqual([good?.classname, good?.name, good?.time], ['gpt-4o', 'gpt-4o 23acfd4ee836', 0.412])
    assert.equal(good?.failure, undefined)
    assert.equal(bad?.classname, 'a"b')
    assert.equal(bad?.name, '<sick> & ?[31mred? \uFFFD \u{1F600}')
    assert.deepEqual(bad?.failure?.[0], {
      type: 'timeout',
      message: 'timeout (408): the upstream is "slow"',
      inner: 'line 1\nline 2 ]]> ?',
    })
    assert.ok(skipped?.skipped?.[0]?.message?.startsWith('checks_disabled'))
  })

  test('no deployments are an empty suite', async () => {
    const read = await parse(junitText([], AT))
    assert.ok(read !== undefined && read !== null && 'testsuite' in read)
    assert.equal(read.tests, 0)
  })
})
