import { freePorts } from '../local/free-port.ts'

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}
