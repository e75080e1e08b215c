import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Chain } from './harness.ts'

/** A Git server that declines what it is sent, as those with protected branches and hooks of their owners do. */

const hook = ({ repository }: Chain) => join(repository, 'hooks', 'update')
const isProtected = 'You are not allowed to push code to protected branches on this project.'

/** From now on it declines commits whose subject begins like this, any where nothing is said, in these words. */
export function decline(chain: Chain, subject = '', words = isProtected): void {
  mkdirSync(join(chain.repository, 'hooks'), { recursive: true })
  const lines = [
    '#!/bin/sh',
    `git log --format=%s "$2..$3" | grep -q '^${subject}' || exit 0`,
    `echo "${words}" >&2`,
    'exit 1',
  ]
  writeFileSync(hook(chain), `${lines.join('\n')}\n`, { mode: 0o755 })
}

/** From now on it takes everything. */
export const takeAll = (chain: Chain): void => rmSync(hook(chain), { force: true })
