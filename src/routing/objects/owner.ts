import type { Deployment } from '../../core/deployment.ts'
import type { GatewayError } from '../../core/failure.ts'
import type { ResolveModel } from '../../core/resolve.ts'
import type { LineOrProblem } from '../../health/subject.ts'
import { hasObjects, isSameAccount } from '../../providers/objects.ts'
import { surfaceFace } from '../../providers/surfaces.ts'
import type { Line } from '../../providers/call.ts'
import { fillWildcards } from '../choice/directory.ts'
import type { Candidate, Directory } from '../choice/directory.ts'
import { decodeObjectId, deploymentKey, noSuch } from './id.ts'
import type { ObjectId, ObjectKind } from './id.ts'
import { refuse, unknownModel } from '../request/request.ts'

/** What a client says about where a thing lives. */
export interface OwnerHints {
  /** LiteLLM's name of the route, which error sentences start with. */
  readonly route: string
  /** What it is about; a batch's file may be named in its place. */
  readonly kind: ObjectKind
  /** The model group, deployment id or wildcard's name that the path, a header, the query or the body names. */
  readonly model: string | undefined
  /** A provider's name (`custom_llm_provider`): looked at where no model is named. */
  readonly provider: string | undefined
  /** The id that the call is about, as the client wrote it, and of what. */
  readonly id?: { readonly kind: ObjectKind; readonly text: string }
}

/** Who may be asked. */
export interface Owner {
  /** The name asked for; undefined where none was, or the id says otherwise. */
  readonly model: string | undefined
  /** Never empty; one where the id says which. */
  readonly candidates: readonly Candidate[]
  /** The provider's own id. */
  readonly upstreamId: string | undefined
}

/** Finds out where things live. */
export interface Owners {
  /**
   * An id that this gateway gave says it; else the model that is named; else the account that is the only one.
   * @throws GatewayError bad_request (400) naming what to add, not_found (404) for an id that is none
   */
  find(hints: OwnerHints): Promise<Owner>
  /** Is there just one account that keeps files, of this provider or at all? */
  isClear(provider: string | undefined): Promise<boolean>
}

/** What the search runs on. */
export interface OwnerDeps {
  readonly deployments: readonly Deployment[]
  readonly directory: Directory
  readonly lines: (index: number) => LineOrProblem
  readonly resolve: ResolveModel
}

/** The deployments of the only account, or why there is none. */
type SoleAccount = readonly Candidate[] | 'none' | 'several'

/** Makes the search of one config. What it has found out about accounts is kept: a config does not change. */
export function createOwners(deps: OwnerDeps): Owners {
  const soles = new Map<string, Promise<SoleAccount>>()
  let byKey: ReadonlyMap<string, Deployment> | undefined
  const deploymentOf = ({ deployment }: ObjectId): Deployment | undefined => {
    byKey ??= new Map(deps.deployments.map((each) => [deploymentKey(each.id), each]))
    return byKey.get(deployment)
  }
  const soleAccount = (kind: ObjectKind, provider: string | undefined): Promise<SoleAccount> => {
    const isKnown = provider === undefined || deps.deployments.some((each) => each.provider === provider)
    if (!isKnown) return Promise.resolve('none')
    const name = `${KEPT_WORDS[kind]}\n${provider ?? ''}`
    const known = soles.get(name)
    if (known !== undefined) return known
    const sole = accountOf(deps, kind, provider)
    soles.set(name, sole)
    // Whoever had no token to be told apart by may have one the next time.
    sole.catch(() => soles.delete(name))
    return sole
  }
  return {
    find: async (hints) => {
      const { route, kind, model, id } = hints
      const ours = id === undefined ? undefined : decodeObjectId(id.kind, id.text)
      const home = ours === undefined ? undefined : deploymentOf(ours)
      if (ours !== undefined && home !== undefined) {
        const isNamed = model !== undefined && answersTo(deps, home, model)
        return {
          model: isNamed ? model : undefined,
          candidates: [{ deployment: home }],
          upstreamId: ours.upstreamId,
        }
      }
      const upstreamId = ours?.upstreamId ?? id?.text
      if (model !== undefined) return { model, candidates: named(deps, hints.kind, route, model), upstreamId }
      if (id !== undefined && ours !== undefined) throw noSuch(id.kind, id.text, GONE)
      const sole = await soleAccount(kind, hints.provider)
      if (sole === 'none') throw nobodyKeeps(route, kind, hints.provider)
      if (sole === 'several') throw severalAccounts(route)
      return { model, candidates: sole, upstreamId }
    },
    isClear: async (provider) => typeof (await soleAccount('file', provider)) === 'object',
  }
}

/** What providers keep, or do not: files and batches go together. */
const KEPT_WORDS: Readonly<Record<ObjectKind, string>> = {
  file: 'files and batches',
  batch: 'files and batches',
  upload: 'files and batches',
  part: 'files and batches',
  response: 'responses',
  call: 'calls',
}

function keeps(line: Line, kind: ObjectKind): boolean {
  return kind === 'response' ? surfaceFace(line, 'responses') !== undefined : hasObjects(line)
}

const GONE =
  'the deployment where it lives is not in the config (any more); add "model" if another one is of the same account'

/** Does the deployment answer to that name? */
export function answersTo({ directory }: OwnerDeps, deployment: Deployment, model: string): boolean {
  return directory.candidates(model).some((each) => each.deployment.index === deployment.index)
}

/** Who answers to the name, without those whose provider keeps no such things. */
function named(
  { directory, lines, resolve }: OwnerDeps,
  kind: ObjectKind,
  route: string,
  model: string,
): readonly Candidate[] {
  const known = directory.candidates(model)
  if (known.length === 0) throw unknownModel({ route }, model)
  const able = known.filter(({ deployment, captures }) => {
    // `model: "*"` takes any provider's model, and an id that remembers it remembers this one provider.
    const isFree = captures !== undefined && deployment.model.startsWith('*')
    if (isFree && resolve(fillWildcards(deployment.model, captures), {}).provider !== deployment.provider)
      return false
    const opened = lines(deployment.index)
    // One that cannot be called at all lacks nothing: why it cannot is for `pick` to say.
    return 'misconfigured' in opened || keeps(opened.line, kind)
  })
  if (able.length > 0) return able
  const providers = [...new Set(known.map(({ deployment }) => deployment.provider))].slice(0, 8).join(', ')
  throw refuse(
    `${route}: model=${model.slice(0, 256)} cannot do this: its provider (${providers}) keeps no ${KEPT_WORDS[kind]}.`,
    'model',
  )
}

/** Deployments of mode batch settle it where there are any. */
async function accountOf(
  { deployments, lines }: OwnerDeps,
  kind: ObjectKind,
  provider: string | undefined,
): Promise<SoleAccount> {
  const wanted = deployments.filter((each) => provider === undefined || each.provider === provider)
  const ofBatches = kind === 'response' ? [] : wanted.filter(({ mode }) => mode === 'batch')
  for (const members of [ofBatches, wanted]) {
    const able = members.flatMap((deployment) => {
      const opened = lines(deployment.index)
      return 'line' in opened && keeps(opened.line, kind) ? [{ deployment, line: opened.line }] : []
    })
    if (able.length === 0) continue
    const isOne = await areOne(able.map(({ line }) => line))
    return isOne ? able.map(({ deployment }) => ({ deployment })) : 'several'
  }
  return 'none'
}

async function areOne([first, ...others]: readonly Line[]): Promise<boolean> {
  if (first === undefined) return false
  for (const other of others) if (!(await isSameAccount(first, other))) return false
  return true
}

function severalAccounts(route: string): GatewayError {
  return refuse(
    `${route}: this config has several accounts, and nothing says which one is meant. ` +
      'Name a model: `?model=` in the URL, the header `x-litellm-model`, or "model" in the body; ' +
      'or give an id that came from this gateway.',
    'model',
  )
}

function nobodyKeeps(route: string, kind: ObjectKind, provider: string | undefined): GatewayError {
  const whose = provider === undefined ? '' : ` of provider ${provider.slice(0, 64)}`
  return refuse(`${route}: no deployment${whose} in this config keeps ${KEPT_WORDS[kind]}.`, 'model')
}
