import { parseArgs } from 'node:util'
import { messageOf } from '../shared/errors.ts'
import { readEventFile } from './event-file.ts'
import { openFolder } from './folder-tree.ts'
import { rehearse } from './rehearse.ts'

/** `npm run render -- examples/provision.json`: the files that a request would put into Git, and nothing else happens. */

const usage = 'npm run render -- REQUEST.json [--fleet DIR] [--cluster NAME] [--repository URL]'

const settings = { branch: 'main', namespace: 'argocd', project: 'default', rootApplication: 'drover-hub' }

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      fleet: { type: 'string', default: 'examples/fleet' },
      cluster: { type: 'string', default: 'site-a' },
      repository: { type: 'string', default: 'https://git.example.com/fleet.git' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void process.stdout.write(`${usage}\n`)
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0)
    throw new Error(
      `Cannot render: ${file === undefined ? 'no request is' : 'more than one request is'} named; ${usage}`,
    )
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(values.cluster))
    throw new Error(
      `Cannot render: --cluster is "${values.cluster}", wanted the name of a ManagedCluster, such as site-a`,
    )
  const { event } = await readEventFile(file)
  const changes = await rehearse(
    {
      source: event.source,
      id: event.id,
      request: event.data,
      cluster: values.cluster,
      settings: { ...settings, repoUrl: values.repository },
    },
    await openFolder(values.fleet),
  )
  for (const { path, content } of changes)
    process.stdout.write(`---\n# ${content === null ? `removed: ${path}` : path}\n${content ?? ''}`)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
