import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { messageOf } from '../shared/errors.ts'
import type { Event } from '../shared/event.ts'
import { openFolder } from './folder-tree.ts'
import { rehearse } from './rehearse.ts'

/** `npm run render -- examples/provision.json`: the files that a request would put into Git, and nothing else happens. */

const usage = 'npm run render -- REQUEST.json [--fleet DIR] [--cluster NAME] [--repository URL]'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    fleet: { type: 'string', default: 'examples/fleet' },
    cluster: { type: 'string', default: 'site-a' },
    repository: { type: 'string', default: 'https://git.example.com/fleet.git' },
  },
})

async function main(file: string): Promise<void> {
  const event = JSON.parse(await readFile(file, 'utf8')) as Event
  const changes = await rehearse(
    {
      source: event.source,
      id: event.id,
      request: event.data,
      cluster: values.cluster,
      settings: {
        repoUrl: values.repository,
        branch: 'main',
        namespace: 'argocd',
        project: 'default',
        rootApplication: 'drover-hub',
      },
    },
    await openFolder(values.fleet),
  )
  for (const { path, content } of changes)
    process.stdout.write(`---\n# ${content === null ? `removed: ${path}` : path}\n${content ?? ''}`)
}

try {
  const [file] = positionals
  if (file === undefined) throw new Error(`Cannot render: no request is named; ${usage}`)
  await main(file)
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
