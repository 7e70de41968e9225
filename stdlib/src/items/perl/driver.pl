# Code of the configuration sees no variable of this file.
package main;
sub Eximious::evaluate { return eval $_[0]; }
sub Eximious::enter {
    my $name = shift;
# line 0 "/dev/null"
    return &{$name}(@_);
}

package Eximious;
use strict;

# The channel to the other side is the standard input. It moves to where no
# code of the configuration writes to it by chance, and no program inherits it.
open(my $channel, '+<&', \*STDIN) or exit 71;
open(STDIN, '<', '/dev/null') or exit 71;
binmode $channel;
my $owner = $$;
$0 = '/dev/null';

# A warning goes to the log. This is the first text that is evaluated, so that
# the places in the configuration's code count from there.
evaluate(q{
    $SIG{__WARN__} = sub { my $text = $_[0]; $text =~ s/\n\z//; Exim::log_write($text) }
});

# So many bytes from the channel. What the other side says is trusted.
sub take {
    my ($count) = @_;
    my $bytes = '';
    while (length $bytes < $count) {
        my $got = sysread $channel, $bytes, $count - length $bytes, length $bytes;
        next if !defined $got && $! == 4;
        exit 0 if !$got;
    }
    return $bytes =~ /\A(.*)\z/s ? $1 : '';
}

# A frame: a letter, a length, a text.
sub put {
    my ($letter, $text) = @_;
    $text = '' if !defined $text;
    utf8::encode($text) if utf8::is_utf8($text);
    my $frame = $letter . pack('N', length $text) . $text;
    for (my $at = 0; $at < length $frame;) {
        my $done = syswrite $channel, $frame, length($frame) - $at, $at;
        next if !defined $done && $! == 4;
        exit 0 if !$done;
        $at += $done;
    }
    return;
}

# Does what the other side asks for, until it answers a question. There is no
# loop here, nor a block that Perl takes for one, because a "last" in the
# configuration's code would leave it.
sub serve {
    my ($letter, $length) = unpack 'aN', take(5);
    my $text = $length ? take($length) : '';
    if ($letter eq 'C') { call(unpack '(N/a)*', $text) }
    elsif ($letter eq 'S') { begin($text) }
    else { return ($letter, $text) }
    goto &serve;
}

# Evaluates the configuration's own code. That it can be compiled counts, which a
# block tells that runs when all is, and that no error is left behind: of a file
# that could not be done, for instance. That the code itself dies is none.
sub begin {
    my ($code) = @_;
    our ($compiled, $left) = (0, '');
    my $watch = sub { $left = $@ };
    $SIG{__DIE__} = $watch;
    evaluate("UNITCHECK { \$Eximious::compiled = 1 } $code\n;\$Eximious::left = \$@;");
    # One that the code has set stays.
    delete $SIG{__DIE__} if ($SIG{__DIE__} // '') eq $watch;
    leave_if_forked();
    return put('E', "Compilation error\n") if !$compiled;
    return defined $left && length $left ? put('E', "$left\n") : put('V');
}

# Calls a subroutine.
sub call {
    my ($name, @arguments) = @_;
    my ($value, $wrong);
    local $@;
    eval { $value = enter($name, @arguments); 1 } or $wrong = defined $@ ? "$@" : '';
    leave_if_forked();
    return put('E', $wrong) if defined $wrong;
    return defined $value ? put('V', "$value") : put('U');
}

# A copy of this process must not talk to the other side.
sub leave_if_forked { exit 0 if $$ != $owner }

# An error at the place that called Exim.
sub fail {
    my ($text) = @_;
    my (undef, $file, $line) = caller 1;
    $text .= $line ? " at $file line $line.\n" : ".\n" if $text !~ /\n\z/;
    die $text;
}

sub Exim::expand_string {
    fail('Usage: Exim::expand_string(string)') if @_ != 1;
    local ($!, $@);
    put('X', $_[0]);
    my ($letter, $text) = serve();
    fail("syntax error in Exim::expand_string argument: $text") if $letter eq 'E';
    return $letter eq 'U' ? undef : $text;
}

sub Exim::log_write {
    fail('Usage: Exim::log_write(string)') if @_ != 1;
    local $!;
    return put('L', $_[0]);
}

sub Exim::debug_write {
    fail('Usage: Exim::debug_write(string)') if @_ != 1;
    local $!;
    return put('D', $_[0]);
}

serve();
