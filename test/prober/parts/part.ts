/** What the parts of the prober have in common that run as processes of their own. */

/** What this part was told to do, as its only argument says. */
export const toldTo = <T>(): T => JSON.parse(process.argv[2] ?? '{}') as T

/** Ends with who started it. */
export function endWithParent(end: () => Promise<void>): void {
  const leave = () => void end().finally(() => process.exit(0))
  process.stdin.on('end', leave).on('error', leave).resume()
}

export const complain = (sentence: string): void =>
  void process.stderr.write(`${new Date().toISOString()} ${sentence}\n`)
