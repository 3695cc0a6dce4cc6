import { parentPort, workerData } from 'node:worker_threads'
import type { Call, DeskSettings } from './sqlite-calls.ts'
import { openDesk } from './sqlite-desk.ts'

// A thread that touches the file. What blocks here (a slow disk, a lock) blocks nobody's request.

const settings: DeskSettings = workerData
const desk = await openDesk(settings)

parentPort?.on('message', ({ id, call }: { readonly id: number; readonly call: Call }) => {
  parentPort?.postMessage({ id, answer: desk(call) })
})
