import { isJsonObject } from '../../core/json.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { encodeObjectId, isPassable } from './id.ts'
import type { ObjectKind } from './id.ts'

/** Members that hold ids, and of what. */
const ID_MEMBERS: Readonly<Record<ObjectKind, Readonly<Record<string, ObjectKind>>>> = {
  file: { id: 'file' },
  batch: { id: 'batch', input_file_id: 'file', output_file_id: 'file', error_file_id: 'file' },
  upload: { id: 'upload' },
  part: { id: 'part', upload_id: 'upload' },
  response: { id: 'response', previous_response_id: 'response' },
  call: {},
}

/** Members that are objects of their own, and of which kind. */
const OBJECT_MEMBERS: Readonly<Partial<Record<ObjectKind, Readonly<Record<string, ObjectKind>>>>> = {
  upload: { file: 'file' },
}

/** Members of a list that say where the next page begins. */
const PAGE_MEMBERS = ['first_id', 'last_id'] as const

/**
 * A provider's object, or list of them, with ids that remember the deployment. Nothing else is changed.
 * `deployment` is its `deploymentKey`.
 */
export function withOurIds(kind: ObjectKind, deployment: string, json: JsonObject): JsonObject {
  const ours = (of: ObjectKind, value: Json | undefined): Json | undefined =>
    typeof value === 'string' && isPassable(value) ? encodeObjectId(of, deployment, value) : value
  const one = (object: JsonObject): JsonObject => {
    const changed = Object.entries(ID_MEMBERS[kind]).flatMap(([name, of]) =>
      object[name] === undefined ? [] : [[name, ours(of, object[name])] as const],
    )
    const inner = Object.entries(OBJECT_MEMBERS[kind] ?? {}).flatMap(([name, of]) => {
      const member = object[name]
      return isJsonObject(member) ? [[name, withOurIds(of, deployment, member)] as const] : []
    })
    return { ...object, ...Object.fromEntries([...changed, ...inner]) }
  }
  const { data } = json
  if (!Array.isArray(data)) return one(json)
  const pages = PAGE_MEMBERS.flatMap((name) =>
    json[name] === undefined ? [] : [[name, ours(kind, json[name])] as const],
  )
  const rows = data.map((row: Json) => (isJsonObject(row) ? one(row) : row))
  return { ...json, data: rows, ...Object.fromEntries(pages) }
}
