import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { COMPATIBLE_LAWS } from '../../fake-provider/natives/compatible-laws.ts'
import { startFakeProvider } from '../../fake-provider/server.ts'
import { createTransport } from '../../transport/transport.ts'
import { CONTRACT_KEY } from '../adapter.contract.ts'
import { rowContract, type Ground } from './row.contract.ts'
import { COMPATIBLE_ROWS } from './rows.ts'

let ground: Ground
before(async () => {
  ground = { fake: await startFakeProvider({ keys: [CONTRACT_KEY] }), transport: createTransport() }
})
after(async () => {
  await ground.transport.close()
  await ground.fake.stop()
})

test('every row has a law of its own, and every law a row', () => {
  const ids = (list: readonly { readonly id: string }[]): readonly string[] => list.map(({ id }) => id).sort()
  assert.deepEqual(ids(COMPATIBLE_LAWS), ids(COMPATIBLE_ROWS))
  assert.ok(COMPATIBLE_ROWS.length >= 30)
  for (const { id, source } of COMPATIBLE_LAWS) assert.match(source, /^https:\/\/\S+(, https:\/\/\S+)*$/, id)
})

for (const row of COMPATIBLE_ROWS) {
  const law = COMPATIBLE_LAWS.find(({ id }) => id === row.id)
  assert.ok(law !== undefined, row.id)
  rowContract(row, law, () => ground)
}
