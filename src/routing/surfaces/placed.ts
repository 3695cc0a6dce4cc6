import type { JsonObject } from '../../core/json.ts'

/** Where a client said what parts of a chat were made of. */
export type Places = Map<JsonObject, string>

/** Notes, where anybody asks for it, what a part of a chat was made of; gives it back. */
export function placed<Part extends JsonObject>(
  { places }: { readonly places?: Places | undefined },
  path: string,
  part: Part,
): Part {
  places?.set(part, path)
  return part
}
