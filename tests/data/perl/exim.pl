# Subroutines for the tests of perl.
our $count = 0;
sub foo { return "foo(" . join("|", @_) . ")" }
sub count { return ++$count }

# What comes back.
sub undefined { return undef }
sub nothing { return }
sub list { return (4, 5, 6) }
sub array { my @values = (4, 5, 6); return @values }
sub context { return defined wantarray ? wantarray ? "list" : "scalar" : "void" }
sub zero { return 0 }
sub empty { return "" }
sub third { return 1 / 3 }
sub lines { return "a\nb\n" }
sub bytes { return "a\xff\x{e9}" }
sub zero_byte { return "a\0b" }
sub wide { return "\x{263a}" }
sub big { return "x" x $_[0] }
sub length_of { return length $_[0] }
sub hex_of { return unpack "H*", $_[0] }
sub change { $_[0] = "changed"; return $_[0] }

# How a subroutine ends.
sub dies { die "dying\n" }
sub dies_somewhere { die "dying" }
sub dies_of_nothing { die }
sub dies_within { eval { die "inner" }; return "survived $@" }
sub dies_handled { local $SIG{__DIE__} = sub { die "handled: @_" }; die "x\n" }
sub divides { return 1 / $_[0] }
sub leaves { last }
sub nowhere { goto nowhere_at_all }
sub leftover { $@ = "leftover"; return "ok" }

# Where it stands.
sub called { return join "|", map { defined $_ ? $_ : "undef" } (caller(0))[0 .. 5] }
sub strict { return eval '$undeclared = 1; 1' ? "lax" : "strict" }
sub functions { return join ",", sort keys %Exim:: }
sub environment { return join ",", map { "$_=$ENV{$_}" } sort keys %ENV }
sub input { my $line = <STDIN>; return defined $line ? "got $line" : "end" }
sub captured { "abc" =~ /(b)/; return $1 }

# Exim's functions.
sub expand { my $r = Exim::expand_string($_[0]); return defined $r ? "[$r]" : "undef" }
sub expand_within { my $r = eval { Exim::expand_string($_[0]) }; return "$@" || $r }
sub expand_list { my @r = Exim::expand_string($_[0]); return scalar(@r) . (defined $r[0] ? "d" : "u") }
sub expand_undefined { return "[" . Exim::expand_string(undef) . "]" }
sub expand_none { return Exim::expand_string() }
sub expand_two { return Exim::expand_string("a", "b") }
sub expand_wide { return Exim::expand_string("\x{263a}a") }
sub expand_values { return join "/", $_[0], map { Exim::expand_string($_) } '$value', '$item', '$1' }
sub expand_each { return join "", map { Exim::expand_string("\${length_1:$_}") } 1 .. $_[0] }
sub recurse {
    my ($n) = @_;
    return $n ? "r" . Exim::expand_string("\${perl{recurse}{" . ($n - 1) . "}}") : "end";
}
sub deep { return Exim::expand_string('${perl{dies}}') }
sub deep_undefined { return defined Exim::expand_string('${perl{undefined}}') ? "d" : "u" }
sub keeps_match { "abc" =~ /(b)/; Exim::expand_string('${perl{captured_too}}'); return $1 }
sub captured_too { "xyz" =~ /(y)/; return $1 }
sub keeps_error { $! = 2; Exim::expand_string("a"); return $! + 0 }
sub debug { Exim::debug_write("debug: $_[0]\n"); return "debug" }
sub log_line { Exim::log_write("logged: $_[0]"); return "log" }
sub log_none { Exim::log_write(); return "log" }
sub warns { warn "warning $_[0]"; return "warned" }
sub quiet { local $SIG{__WARN__} = sub { }; warn "no"; return "quiet" }

# What the process does.
sub prints { print "to nobody\n"; return "printed" }
sub shouts { $| = 1; print "V\0\0\0\1x" x 100; system "echo V; echo V >&1"; return "shouted" }
sub forks { my $child = fork; wait if $child; return "forked" }
sub exits { exit 3 }
sub kills { kill 9, $$ }
sub sleeps { sleep $_[0]; return "slept" }
sub spins { 1 while 1 }
sub process { return $$ }
sub runs { return `echo run` }
1;
