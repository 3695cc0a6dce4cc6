import type { FormPart } from '../../core/form-scan.ts'
import type { FormEdits } from '../../core/form-splice.ts'
import type { Line } from '../../providers/call.ts'
import { fillWildcards } from '../choice/directory.ts'
import type { Candidate } from '../choice/directory.ts'
import { createBatchLines } from './batch-lines.ts'
import type { BatchLines } from './batch-lines.ts'
import type { Owner, OwnerDeps } from './owner.ts'
import { createPartLines } from './part-lines.ts'

/** Distinct names of one file that are looked up once; more than any batch has. */
const MOST_NAMES = 1000

/**
 * How the file of an upload to this deployment is written anew: a provider knows the models that a batch's lines name
 * by its own names only. Undefined where nothing is to be changed: the file is for something else, or the config's
 * names are the provider's. `purpose` is undefined where it has not come yet.
 */
export function batchContent(
  deps: OwnerDeps,
  owner: Owner,
  line: Line,
  purpose: string | undefined,
): FormEdits['content'] {
  const rename = purpose === undefined || purpose === 'batch' ? renamingFor(deps, owner, line) : undefined
  if (rename === undefined) return undefined
  const lines = { rename, isSurelyBatch: purpose !== undefined }
  return ({ name, isFile }: FormPart) => (isFile && name === 'file' ? createBatchLines(lines) : undefined)
}

/** The same of a part of a file, in which nothing is written anew, but for what would have to be it is refused. */
export function partContent(deps: OwnerDeps, owner: Owner, line: Line): FormEdits['content'] {
  const rename = renamingFor(deps, owner, line)
  if (rename === undefined) return undefined
  return ({ name, isFile }: FormPart) => (isFile && name === 'data' ? createPartLines(rename) : undefined)
}

/** Undefined where the config's names are the provider's. */
function renamingFor(
  deps: OwnerDeps,
  { model, candidates }: Owner,
  { deployment, target }: Line,
): BatchLines['rename'] | undefined {
  // Without a model all of them are of one account, and a line may name any.
  const others = model === undefined ? candidates : []
  const isOwn = (each: Candidate): boolean => providersName(deps, each) === each.deployment.group
  if ((model ?? target.model) === target.model && [{ deployment }, ...others].every(isOwn)) return undefined
  const indexes = [deployment, ...others.map((each) => each.deployment)].map(({ index }) => index)
  return renaming(deps, indexes)
}

/** Names that lead to one of these deployments, the first before the others. */
function renaming(deps: OwnerDeps, indexes: readonly number[]): BatchLines['rename'] {
  const known = new Map<string, string | undefined>()
  const find = (name: string): string | undefined => {
    const all = deps.directory.candidates(name)
    for (const index of indexes) {
      const found = all.find((each) => each.deployment.index === index)
      if (found !== undefined) return providersName(deps, found)
    }
    return undefined
  }
  return (name) => {
    if (known.has(name)) return known.get(name)
    if (known.size === MOST_NAMES) known.clear()
    const found = find(name)
    known.set(name, found)
    return found
  }
}

/** What its provider calls it; undefined where it cannot be called. */
function providersName(
  { lines, resolve }: OwnerDeps,
  { deployment, captures }: Candidate,
): string | undefined {
  if (captures !== undefined && deployment.model.startsWith('*')) {
    const found = resolve(fillWildcards(deployment.model, captures), {})
    return found.provider === deployment.provider ? found.upstreamModel : undefined
  }
  const opened = lines(deployment.index)
  return 'line' in opened ? fillWildcards(opened.line.target.model, captures) : undefined
}
