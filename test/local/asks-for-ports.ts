import { freePorts } from '../../local/free-port.ts'

// A process that says which ports it was given, and lives on: it has not listened on them yet.
process.send?.(await freePorts(Number(process.argv[2])))
setInterval(() => undefined, 60_000)
