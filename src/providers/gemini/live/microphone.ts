import type { JsonObject } from '../../../core/json.ts'
import type { Tray } from './tray.ts'

/** The sound that goes to the upstream. */
export interface Microphone {
  /** `{mimeType, data}` */
  take(audio: JsonObject): void
  /** True where the user speaks by the client's word, and has not stopped. */
  isOn(): boolean
  /** The user has stopped: the model answers. */
  off(): void
}

/** Makes it. `isManual`: does the client say who speaks? It is asked for each piece of sound. */
export function createMicrophone(tray: Tray, isManual: () => boolean): Microphone {
  let isOn = false
  return {
    take: (audio) => {
      // Sound outside of an activity is refused there.
      if (isManual() && !isOn) {
        isOn = true
        tray.send({ realtimeInput: { activityStart: {} } })
      }
      tray.send({ realtimeInput: { audio } })
    },
    isOn: () => isOn,
    off: () => {
      isOn = false
      tray.send({ realtimeInput: { activityEnd: {} } })
    },
  }
}
