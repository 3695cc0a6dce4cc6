import assert from 'node:assert/strict'

/** The error of this kind, an SDK's own, that a call must end in. */
export async function raised<Raised extends Error>(
  kind: abstract new (...given: never[]) => Raised,
  run: () => Promise<unknown>,
): Promise<Raised> {
  try {
    await run()
  } catch (error) {
    assert.ok(error instanceof kind, String(error))
    return error
  }
  return assert.fail('nothing was raised')
}
