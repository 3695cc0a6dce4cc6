import type { Starts } from './cold-start.ts'
import type { Measured } from './figures.ts'
import type { Overload } from './overload.ts'
import type { SoakResult } from './soak.ts'
import type { Duty } from './switched-on.ts'

/** Where and of what the figures are. */
export interface Facts {
  readonly date: string
  readonly machine: string
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
  /** Short hash; `+` behind it where the tree held more than was committed. */
  readonly commit: string
  /** What was asked of the run that is not its default. */
  readonly options: readonly string[]
}

/** Resident memory of pulsegate, MB of 1,000,000 bytes. */
export interface Memory {
  readonly idleMb: number
  readonly loadedMb: number
}

/** What a run found. */
export interface Findings {
  readonly duties: readonly Duty[]
  readonly memory: Memory | undefined
  readonly results: readonly Result[]
  readonly overload: Overload | undefined
  readonly starts: readonly Starts[] | undefined
  readonly soak: SoakResult | undefined
}

/** What one scenario gave. */
export interface Result {
  readonly title: string
  readonly measured: readonly Measured[]
}
