import { GuestCustomization } from '../../shared/schema/guest-customization.ts'
import { table } from './table.ts'

/** What is done to a disk: what each field of the schema does, in the order in which it is done. */
const does: Record<keyof GuestCustomization, string> = {
  hostname: "the guest's host name",
  timezone: "the guest's time zone",
  files:
    'are written, with the folders that they lie in. `owner` is `root:root` unless said, and is set once packages are installed, for one of them may bring the user',
  subscription:
    'registers the guest with `subscription-manager` for as long as its packages are worked on; one that is registered already stays so',
  packages:
    'removes those of `remove`, and installs those of `install` when all else is up to date: by dnf, yum, apt-get or zypper, whichever the guest has. A guest whose packages come with its image (`/ostree`) is refused',
  update: '`true` brings every package to its newest version, between the two',
  rootPassword: 'the password of root',
  run: 'run in the file system of the guest, which itself is off, in this order',
  sshKeys: 'public keys of users, whom a package or a script may have made',
  firstboot: 'run by the guest when it starts the next time',
  selinuxRelabel: 'files get their SELinux labels anew, where the guest has SELinux; `false` leaves them as they are',
}

/** Fields that a person reads more of in a word than in the letters that they may have. */
const words: Record<string, string> = {
  hostname: 'a name such as "web" or "web.example.com"',
  secret: 'the name of a Secret',
  key: 'a key of it',
  org: 'a key of it',
  activationKey: 'a key of it',
}

/** What of a schema is read here. */
interface Schema {
  type?: string
  description?: string
  maxItems?: number
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[] | undefined
}

export function customizationTable(): string {
  const { properties = {} } = GuestCustomization as Schema
  return table(
    ['field', 'what it holds', 'what is done'],
    Object.entries(does).map(([name, says]) => [`\`${name}\``, held(name, properties[name] ?? {}), says]),
  )
}

/** What a field holds, as the schema has it: a line for each part. */
function held(name: string, { type, description = '', maxItems, items, properties, required = [] }: Schema): string {
  if (items) return `up to ${maxItems}${items.properties ? ', each with<br>' : ': '}${held(name, items)}`
  if (!properties) return type === 'boolean' ? '`true` or `false`' : (words[name] ?? description)
  return Object.entries(properties)
    .map(([part, schema]) => `\`${part}\`${required.includes(part) ? '' : ', if you like'}: ${held(part, schema)}`)
    .join('<br>')
}
