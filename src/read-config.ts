import { hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import type { Loaded } from './config/config.ts'
import { configFromModel, loadConfig } from './config/load.ts'
import { resolveModel } from './providers/registry.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The loader refuses far less than this and says how large the file is; an endless one ends here. */
const MAX_CONFIG_BYTES = 256 * 1024 * 1024

/** Reads a config file with what it includes. Problems are values; only a bug throws. */
export function readConfig(path: string, env: Env): Promise<Loaded> {
  return loadConfig({ path, readFile: readFileBounded, env, resolve: resolveModel })
}

/** A file as it was when it was read. */
interface ReadFile {
  /** Of its bytes; or why there are none. */
  readonly sum: string
  /** As `fileStamp`, from just before. */
  readonly stamp: string
}

/** Each file that was read, or asked for in vain, by its path. */
export type FileSums = ReadonlyMap<string, ReadFile>

/** Tells a file from what it was: another one in its place, written again, or gone. A link is what it leads to. */
export async function fileStamp(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
}

/** The same, and which files it is made of: itself, what it includes, and `.env`. */
export async function readConfigFiles(
  path: string,
  env: Env,
): Promise<Loaded & { readonly files: FileSums }> {
  const files = new Map<string, ReadFile>()
  const readFile = async (wanted: string): Promise<Uint8Array> => {
    const stamp = await fileStamp(wanted)
    try {
      const bytes = await readFileBounded(wanted)
      files.set(wanted, { sum: hash('sha256', bytes, 'base64url'), stamp })
      return bytes
    } catch (error) {
      files.set(wanted, { sum: codeOf(error), stamp })
      throw error
    }
  }
  const loaded = await loadConfig({ path, readFile, env, resolve: resolveModel })
  return { ...loaded, files }
}

/** What a config is known by where several instances are to have the same one. */
export function versionOf(files: FileSums): string {
  const sums = Array.from(files, ([, { sum }]) => sum)
  return hash('sha256', sums.join('\n')).slice(0, 12)
}

/** The config of one model that stands on the command line. */
export function readModel(
  wanted: { readonly model: string; readonly apiBase?: string; readonly apiVersion?: string },
  env: Env,
): Promise<Loaded> {
  const { model, ...rest } = wanted
  return configFromModel(model, { ...rest, readFile: readFileBounded, env, resolve: resolveModel })
}

/** Reads a config that is no file; nothing of this machine, neither files nor variables, gets into it. */
export function readConfigText(path: string, text: string): Promise<Loaded> {
  const readFile = (wanted: string): Promise<Uint8Array> =>
    wanted.endsWith(path)
      ? Promise.resolve(Buffer.from(text))
      : Promise.reject(Object.assign(new Error(`${wanted} is not there`), { code: 'ENOENT' }))
  return loadConfig({ path, readFile, env: {}, resolve: resolveModel })
}

function readFileBounded(path: string): Promise<Uint8Array> {
  return buffer(createReadStream(path, { end: MAX_CONFIG_BYTES - 1 }))
}
