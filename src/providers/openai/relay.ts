import type { HttpMode } from '../../core/mode.ts'
import type { RelayFace } from '../adapter.ts'
import { defaultsOf } from '../body-defaults.ts'
import { jsonTexts, modelName, renamed, type Surface } from './surface.ts'

/** Passes a client's body on with the model set and the defaults filled in: the twin of `postBody`. */
export function relayJson(surface: Surface, mode: HttpMode): RelayFace {
  return {
    url: (target) => surface.url(target, mode),
    edits: (target) => ({
      set: { model: JSON.stringify(modelName(surface, target, mode)) },
      defaults: jsonTexts({
        ...surface.required?.[mode],
        ...renamed(defaultsOf(mode, target.bodyDefaults), surface.renames),
      }),
    }),
    ...(surface.renames === undefined ? {} : { renames: surface.renames }),
  }
}
