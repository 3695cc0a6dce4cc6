#!/usr/bin/env node
import { run } from './cli/run.ts'
import { createShell } from './cli/shell.ts'

/** After a command is done nothing should hold the process; if something does, it is not waited for. */
const LINGER_MS = 2000

const code = await run(process.argv.slice(2), createShell(process))
process.exitCode = code
setTimeout(() => process.exit(code), LINGER_MS).unref()
