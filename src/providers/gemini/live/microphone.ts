import { SOUND } from './items.ts'
import type { Tray } from './tray.ts'

/** The sound that goes to the upstream. */
export interface Microphone {
  /** Base64. */
  take(data: string): void
  /** True where the user speaks by the client's word, and has not stopped. */
  isOn(): boolean
  /** The user has stopped: the model answers. */
  off(): void
}

/** Makes it. `isManual`: does the client say who speaks? It is asked for each piece of sound. */
export function createMicrophone(tray: Tray, isManual: () => boolean): Microphone {
  let isOn = false
  return {
    take: (data) => {
      // Sound outside of an activity is refused there.
      if (isManual() && !isOn) {
        isOn = true
        tray.send({ realtimeInput: { activityStart: {} } })
      }
      tray.send({ realtimeInput: { audio: { mimeType: SOUND, data } } })
    },
    isOn: () => isOn,
    off: () => {
      isOn = false
      tray.send({ realtimeInput: { activityEnd: {} } })
    },
  }
}

/** How long sound of 24,000 samples of 16 bits takes, milliseconds, by its base64. */
export function soundMs(data: string): number {
  const padding = data.endsWith('==') ? 2 : data.endsWith('=') ? 1 : 0
  return (Math.floor((data.length * 3) / 4) - padding) / BYTES_A_MS
}

const BYTES_A_MS = 48
