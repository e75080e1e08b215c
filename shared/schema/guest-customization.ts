import { type Static, Type } from 'typebox'
import { Strict, Subdomain } from './parts.ts'

/**
 * How a disk is customized while nothing runs from it: a golden image before it is published, a machine's root disk when it
 * is patched. All of it but the contents of files and scripts ends up in a line of commands or in a shell's words, so every
 * pattern leaves out what either would read as more than a word. What is secret stands in Kubernetes Secrets, by reference.
 */

/** A key of a Secret; also the name of the file that it is mounted as. */
export const SecretKey = Type.String({
  pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]*$',
  maxLength: 253,
  description: 'a key of a Secret: letters, digits, "_", "." and "-", beginning with a letter or digit',
})

const User = Type.String({
  pattern: '^[a-z_][a-z0-9_-]{0,31}$',
  description: 'the name of a user: up to 32 lower-case letters, digits, "_" and "-", beginning with a letter',
})

/** A package as dnf, apt-get and zypper name it, with its version where one is wanted. */
const Package = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9+._:~=-]*$',
  maxLength: 128,
  description: 'the name of a package, such as "nginx", "gcc-c++" or "curl=7.88.1-10"',
})

const Packages = Type.Array(Package, { maxItems: 128, uniqueItems: true })

/** Commands have a path and something else with ":" between them, hence no ":" in a path. */
const Path = Type.String({
  pattern: '^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._@+=-]+)+$',
  maxLength: 255,
  description: 'an absolute path of letters, digits and "._@+=-", such as "/etc/chrony.conf"',
})

const Mode = Type.String({
  pattern: '^0[0-7]{3}$',
  description: 'permissions as four octal digits in quotes, such as "0644"',
})

const FileOwner = Type.String({
  pattern: '^[a-z_][a-z0-9_-]{0,31}(:[a-z_][a-z0-9_-]{0,31})?$',
  description: 'a user of the guest, or user and group, such as "nginx" or "root:adm"',
})

/** All contents together have to fit into one ConfigMap. */
const Content = Type.String({
  pattern: '^[^\\u0000]*$',
  maxLength: 65536,
  description: 'text of at most 65536 characters without a null character',
})

const File = Strict({
  path: Path,
  content: Content,
  mode: Mode,
  /** `root:root` when absent. A user that a package brings along is there by then. */
  owner: Type.Optional(FileOwner),
})

const Script = Strict({
  name: Type.String({
    pattern: '^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$',
    description: 'up to 40 lower-case letters, digits and "-", beginning and ending with a letter or digit',
  }),
  content: Type.String({
    pattern: '^#!/[^\\u0000]*$',
    maxLength: 65536,
    description: 'a script of at most 65536 characters that begins with the program that reads it, such as "#!/bin/sh"',
  }),
})

const Scripts = Type.Array(Script, { maxItems: 16 })

const SshKey = Strict({ user: User, secret: Subdomain, key: SecretKey })

/** The organization and the activation key, as keys of one Secret, of a registration that ends when the packages are done. */
const Subscription = Strict({ secret: Subdomain, org: SecretKey, activationKey: SecretKey })

export const GuestCustomization = Strict({
  rootPassword: Type.Optional(Strict({ secret: Subdomain, key: SecretKey })),
  subscription: Type.Optional(Subscription),
  /** Brings every package to its newest version. */
  update: Type.Optional(Type.Boolean()),
  packages: Type.Optional(Strict({ install: Type.Optional(Packages), remove: Type.Optional(Packages) })),
  /** Written before packages are installed, so that a repository can be one of them. */
  files: Type.Optional(Type.Array(File, { maxItems: 32 })),
  /** Run in the guest's own file system, after packages and files. */
  run: Type.Optional(Scripts),
  /** Run by the guest when it starts the next time. */
  firstboot: Type.Optional(Scripts),
  sshKeys: Type.Optional(Type.Array(SshKey, { maxItems: 32 })),
  timezone: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$',
      maxLength: 64,
      description: 'a time zone such as "UTC" or "Europe/Berlin"',
    }),
  ),
  hostname: Type.Optional(Subdomain),
  /** Files get their SELinux labels anew, where the guest has SELinux; `false` leaves them as they are. */
  selinuxRelabel: Type.Optional(Type.Boolean()),
})

export type GuestCustomization = Static<typeof GuestCustomization>
