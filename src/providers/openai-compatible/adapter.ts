import type { HttpMode } from '../../core/mode.ts'
import type { ProviderAdapter } from '../adapter.ts'
import { connectByKey, type KeySource } from '../auth/connect.ts'
import { createClassify } from '../classify.ts'
import { openAiCodecs } from '../openai/codecs.ts'
import { openAiObjects } from '../openai/objects.ts'
import { openAiRealtimeKeys } from '../openai/realtime-keys.ts'
import { realtimeFace, realtimeQuery } from '../openai/realtime.ts'
import { modelsUrl, rootOf, routeBelow, type Surface } from '../openai/surface.ts'
import { joinRoute } from '../route.ts'
import type { CompatibleRow } from './row.ts'

/** A row of the table as an adapter: OpenAI's codecs with the row's differences. */
export function openAiCompatible(row: CompatibleRow): ProviderAdapter {
  const source: KeySource = {
    baseEnv: row.baseEnv ?? [`${row.id.toUpperCase().replaceAll('-', '_')}_API_BASE`],
    keyEnv: row.keyEnv,
    ...(row.base === undefined ? {} : { base: row.base }),
    ...(row.baseEnding === undefined ? {} : { baseEnding: row.baseEnding }),
    ...(row.keyless === undefined ? {} : { keyless: row.keyless }),
    ...(row.header === undefined ? {} : { header: row.header }),
  }
  const codecs = openAiCodecs(surfaceOf(row))
  const lacks = (mode: HttpMode | 'realtime'): boolean => row.unsupported?.includes(mode) === true
  const unless = <M extends HttpMode>(mode: M): ProviderAdapter['codecs'][M] | 'unsupported' =>
    lacks(mode) ? 'unsupported' : codecs[mode]
  return {
    id: row.id,
    codecs: {
      chat: unless('chat'),
      completion: unless('completion'),
      embedding: unless('embedding'),
      image_generation: unless('image_generation'),
      audio_transcription: unless('audio_transcription'),
      audio_speech: unless('audio_speech'),
      rerank: unless('rerank'),
      batch: unless('batch'),
      moderation: unless('moderation'),
    },
    realtime: lacks('realtime')
      ? 'unsupported'
      : realtimeFace((target) => `${joinRoute(target.base, '/realtime')}?${realtimeQuery(target.model)}`),
    // Batches under a route of their own are of a form of their own.
    objects: lacks('batch') || row.routes?.batch !== undefined ? 'unsupported' : openAiObjects,
    realtimeKeys: lacks('realtime') ? 'unsupported' : openAiRealtimeKeys,
    connect: (deployment, env) => connectByKey(source, deployment, env),
    classify: createClassify(),
    ...freeLook(row),
    hosts: hostsOf(row),
    ...(row.refuses === undefined ? {} : { refuses: row.refuses }),
    ...(row.mode === undefined ? {} : { onlyMode: row.mode }),
    ...(row.isSelfHosted === undefined ? {} : { isSelfHosted: row.isSelfHosted }),
    ...(row.cheapChatModel === undefined ? {} : { cheapChatModel: row.cheapChatModel }),
  }
}

function freeLook({ listing = {} }: CompatibleRow): Pick<ProviderAdapter, 'freeUrl' | 'isFreePublic'> {
  if (listing === 'none') return {}
  const { route, isPublic } = listing
  return {
    freeUrl: route === undefined ? modelsUrl : (target) => rootOf(target) + route,
    ...(isPublic === undefined ? {} : { isFreePublic: isPublic }),
  }
}

/** The public base's host; a machine of the user's own gives nobody away. */
function hostsOf({ base, isSelfHosted, hosts = [] }: CompatibleRow): readonly string[] {
  const own =
    base === undefined || isSelfHosted === true ? [] : [new URL(base.replaceAll(/[{}]/g, '')).hostname]
  return [...own, ...hosts]
}

function surfaceOf(row: CompatibleRow): Surface {
  const { modelPrefix } = row
  return {
    url: (target, route) => routeBelow(target.base, route, row.routes?.[route]),
    ...(row.renames === undefined ? {} : { renames: row.renames }),
    ...(row.required === undefined ? {} : { required: row.required }),
    ...(row.thoughts === undefined ? {} : { thoughts: row.thoughts }),
    ...(row.completionAnswer === undefined ? {} : { completionAnswer: row.completionAnswer }),
    ...(modelPrefix === undefined
      ? {}
      : {
          model: (target, mode) =>
            (mode === 'chat' || mode === 'completion') && !target.model.startsWith(modelPrefix.unless)
              ? modelPrefix.prefix + target.model
              : target.model,
        }),
  }
}
